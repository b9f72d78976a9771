"""The explorer in a browser: every control is moved by keyboard, and what is drawn then is looked at."""

import shutil
from pathlib import Path

import pytest

from featprune.errors import FeatpruneError
from featprune.explorer import page
from tests.unit.explorer.made import ALPHAS, CLAIMS, STEPS, make_sources

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install -e '.[test]'")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
in_browser = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="needs Chromium and chromedriver (Debian: chromium, chromium-driver)"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("explorer")
    text = page.write_page(make_sources(root), CLAIMS, "A <study>")
    path = root / "explorer.html"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(written):
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        resize(driver, 1280)
        driver.get(written.as_uri())
        settle(driver)
        yield driver
    finally:
        driver.quit()


def resize(driver, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def wait(driver):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 60, 0.1)


def settle(driver, before=0):
    """Wait until all has been drawn since the count `before`."""
    wait(driver).until(lambda d: drawn(d) > before)


def drawn(driver) -> int:
    return int(driver.execute_script("return document.body.dataset.drawn || 0"))


def press(driver, control, key):
    """Focus a control and press a key, as someone without a mouse does; wait for the drawing."""
    before = drawn(driver)
    driver.execute_script("document.getElementById(arguments[0]).focus()", control)
    driver.switch_to.active_element.send_keys(getattr(webdriver.Keys, key))
    settle(driver, before)


def text(driver, place) -> str:
    return driver.execute_script("return document.getElementById(arguments[0]).textContent", place)


def value(driver, control) -> str:
    return driver.execute_script("return document.getElementById(arguments[0]).value", control)


def lines(driver) -> list[tuple[str, str, str]]:
    """Colour, width and path of each curve that is drawn."""
    script = """return [...document.querySelectorAll('#curves .mark-line path')]
        .map((p) => [p.getAttribute('stroke'), p.getAttribute('stroke-width'), p.getAttribute('d')])"""
    return [tuple(line) for line in driver.execute_script(script)]


def marks(driver) -> list[str]:
    script = "return [...document.querySelectorAll('#curves .mark-symbol path')].map((p) => p.getAttribute('d'))"
    return driver.execute_script(script)


def matrix(driver, which) -> str:
    """The pixels of a matrix, as text."""
    return driver.execute_script(f"return document.querySelector('#{which} canvas').toDataURL()")


def cells(driver, which) -> list[float]:
    return driver.execute_script(f"return explorer.views.{which}.data('cells').map((cell) => cell.value)")


def test_the_page_is_one_small_file_that_names_no_other(written):
    content = written.read_text(encoding="utf-8")
    assert len(content) < 2_000_000 < page.LARGEST
    assert "<title>A &lt;study&gt;</title>" in content and "default-src 'none'" in content
    own = content.replace(content.split("<script>")[1].split("</script>")[0], "")
    assert "src=" not in own and "href=" not in own and "@import" not in own and "url(" not in own


def test_a_page_that_is_too_large_says_what_to_leave_out(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "LARGEST", 1000)
    monkeypatch.setattr(page.vl_convert, "javascript_bundle", lambda *_, **__: "")
    with pytest.raises(FeatpruneError, match=r"features\.rounds"):
        page.write_page(make_sources(tmp_path), CLAIMS, "A study")


@in_browser
def test_each_control_changes_what_is_drawn_and_said(browser):
    assert value(browser, "experiment") == "images" and value(browser, "round") == "2", "where claims are decided"
    assert "× 1, chosen on validation" in text(browser, "said") and "4 seeds" in text(browser, "said")
    assert len(lines(browser)) == 3 and len(marks(browser)) == 3 * 3 + 1, "runs, and a ring"
    widest = max(lines(browser), key=lambda line: float(line[1]))
    assert widest[0].upper() == "#D55E00", "the ticket's colour in every figure"

    for control in ("alpha", "rate"):
        before = lines(browser), text(browser, "said")
        press(browser, control, "ARROW_DOWN")
        assert {path for *_, path in lines(browser)} != {path for *_, path in before[0]}, control
        assert text(browser, "said") != before[1]
    assert f"alpha {ALPHAS[1]:g}," in text(browser, "said") and "validation" not in text(browser, "said")
    press(browser, "rate", "ARROW_UP")

    press(browser, "strategy", "ARROW_DOWN")
    widest = max(lines(browser), key=lambda line: float(line[1]))
    assert widest[0].upper() == "#0072B2" and "no rewind" in text(browser, "said")
    assert "no preactivations were kept" in text(browser, "matrices-said")
    press(browser, "strategy", "ARROW_UP")

    before = browser.execute_script("return explorer.views.curves.data('here')[0].density")
    press(browser, "round", "ARROW_DOWN")
    assert browser.execute_script("return explorer.views.curves.data('here')[0].density") == before / 2
    assert text(browser, "claims-caption").endswith("25 % of weights")
    press(browser, "round", "ARROW_UP")


@in_browser
def test_verdicts_are_told_by_shape_and_in_words(browser):
    script = "return explorer.views.curves.data('curves').map((row) => row.verdict)"
    verdicts = browser.execute_script(script)
    assert set(verdicts) == {"holds", "fails", "undecided"}
    assert len({mark.count("L") + 10 * mark.count("A") for mark in marks(browser)}) >= 3, "circle, cross and diamond"
    mine = browser.execute_script("return explorer.views.curves.data('here')[0]")
    word = browser.execute_script(
        script.replace(
            ".map((row) => row.verdict)",
            ".find((row) => row.strategy === arguments[0] && row.round === arguments[1]).verdict",
        ),
        mine["strategy"],
        mine["round"],
    )
    assert text(browser, "said").endswith(f"{word}.")
    linked = browser.execute_script("return document.querySelector('#claims tr.linked').textContent")
    assert "Claim 1" in linked and word in linked and "[-0.02, 0.001] (90 %)" in linked


@in_browser
def test_the_slider_scrubs_both_matrices(browser):
    assert value(browser, "step") == str(len(STEPS) - 1)
    seen = {which: [matrix(browser, which)] for which in ("dense", "pruned")}
    for step in reversed(STEPS[:-1]):
        press(browser, "step", "ARROW_LEFT")
        assert f"step {step}." in text(browser, "matrices-said") and text(browser, "step-told") == str(step)
        for which in seen:
            seen[which].append(matrix(browser, which))
    assert all(len(set(pictures)) == len(STEPS) for pictures in seen.values())
    assert seen["dense"] != seen["pruned"] and len(cells(browser, "dense")) == 40 * 64
    note = text(browser, "matrices-note")
    assert "40 of 50 probe samples" in note and "64 of 70 units" in note and "255 levels" in note
    press(browser, "layer", "ARROW_DOWN")
    assert len(cells(browser, "pruned")) == 40 * 10 and "10 of 10 units" in text(browser, "matrices-note")


@in_browser
def test_dark_and_light_are_the_systems_or_as_told(browser):
    def paper():
        return browser.execute_script("return getComputedStyle(document.body).backgroundColor")

    light, picture = paper(), matrix(browser, "dense")
    before = drawn(browser)
    prefers = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", prefers)
    settle(browser, before)
    dark = paper()
    assert dark != light and matrix(browser, "dense") != picture
    press(browser, "theme", "ARROW_DOWN")
    assert value(browser, "theme") == "light" and paper() == light and matrix(browser, "dense") == picture
    press(browser, "theme", "ARROW_DOWN")
    assert paper() == dark


@in_browser
def test_an_experiment_without_accuracy_has_its_error_and_says_that_no_matrix_was_kept(browser):
    press(browser, "experiment", "ARROW_DOWN")
    assert value(browser, "experiment") == "numbers" and "test error (squared)" in text(browser, "said")
    assert "test error (squared)" in text(browser, "curves") and len(lines(browser)) == 3
    shown = browser.execute_script(
        "return ['matrices', 'matrices-none'].map((id) => !document.getElementById(id).hidden)"
    )
    assert shown == [False, True]
    press(browser, "experiment", "ARROW_UP")
    assert len(cells(browser, "dense")) > 0


@in_browser
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_window(browser, width):
    resize(browser, width)
    script = """return Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll(
        'select, input, .chart, .chart canvas, .chart svg, h1, p')].map((e) => e.getBoundingClientRect().right))"""
    # Charts follow their places a moment later.
    wait(browser).until(lambda d: d.execute_script(script) <= width)
    assert browser.execute_script("return document.getElementById('curves').clientWidth") > 0.8 * min(width, 1152)


@in_browser
def test_every_control_has_a_name_and_nothing_went_wrong_or_over_the_network(browser, written):
    import json

    unnamed = browser.execute_script("""return [...document.querySelectorAll('select, input')]
        .filter((e) => !e.labels.length || !e.labels[0].textContent.trim()).map((e) => e.id)""")
    assert unnamed == []
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert written.as_uri() in asked
    assert {url for url in asked if not url.startswith("data:")} == {written.as_uri()}
