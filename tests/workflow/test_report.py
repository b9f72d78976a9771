"""The report of a run in a browser: it opens on what was found, every figure loads, and no script fails."""

import json
import re
import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="the report is looked at in a browser, by selenium")
BROWSER, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
# Shows a result as the eye in the menu does; tells whether the picture came, or why not.
SHOW = """
const [path, done] = arguments;
app.setView({content: "img", contentPath: results[path].data_uri, resultPath: path});
setTimeout(() => {
  const picture = document.querySelector("#app .p-3 > img");
  picture.decode().then(() => done(picture.naturalWidth), error => done(String(error)));
}, 50);
"""


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory):
    """The report of the finished study: one page that holds everything."""
    workspace = finished.copy(tmp_path_factory.mktemp("report") / "study")
    done = workspace.snakemake("--report", "report.html")
    assert done.returncode == 0, done.stdout
    return workspace.root / "report.html"


@pytest.fixture(scope="module")
def page(report):
    """The report in a browser without a window."""
    if not (BROWSER and DRIVER):
        pytest.skip("no chromium with its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(60)
    driver.get(report.as_uri())
    yield driver
    driver.quit()


def of_page(report, name):
    """A variable of the report's scripts."""
    return json.loads(re.search(rf'<script id="{name}">\s*var {name} = (.*);\s*</script>', report.read_text())[1])


def test_every_figure_is_filed_by_its_place_in_the_argument_and_says_what_was_found(report):
    categories, results = of_page(report, "categories"), of_page(report, "results")
    assert {"0 Findings", "1 Headline", "2 Claims", "8 Run"} <= set(categories)
    pictures = {path: entry for path, entry in results.items() if entry["mime_type"].startswith("image/")}
    assert {path.split("/")[2] for path in pictures} == {"tiny", "digits", "digits_baseline"}
    for path, entry in pictures.items():
        shows, _, found = entry["caption"].partition("What was found:")
        assert len(shows) > 200, path
        alone = "could be put into numbers" in found  # a dense network, without another to compare it with
        assert alone == (path in {f"results/figures/{e}/preactivations.png" for e in ("digits", "digits_baseline")})
        assert alone or re.search(r"<li>.*\d", found, re.S), f"{path}: {found}"
        assert "system-message" not in entry["caption"], path


def test_it_opens_on_what_was_found(report, page):
    text = page.find_element("css selector", "#app").text
    assert "What was found" in text
    assert "Claim 1, a test error at least as good as the dense network's" in text
    assert "core-hours in all" in text
    assert not page.find_elements("css selector", "#app .vega-embed, #app canvas")
    results = of_page(report, "results")
    (config, provenance) = (results[f"results/{name}"]["caption"] for name in ("config.yaml", "provenance.json"))
    assert "digits_baseline" in config
    assert "numpy" in provenance


def test_every_figure_loads_and_no_script_fails(report, page):
    results = of_page(report, "results")
    pictures = [path for path, entry in results.items() if entry["mime_type"] != "text/plain" and "figures" in path]
    assert len(pictures) > 20
    for path in pictures:
        assert page.execute_async_script(SHOW, path) > 100, path
    for content in ("stats", "rulegraph"):
        page.execute_script("app.setView({content: arguments[0]})", content)
    for path in pictures[:1]:
        page.execute_script("app.showResultInfo(arguments[0])", path)
        assert "WHAT WAS FOUND" in page.find_element("css selector", "nav").text.upper()
    told = [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]
    assert not told
