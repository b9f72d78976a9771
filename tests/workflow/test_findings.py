"""`snakemake findings`: publishes a study where the config names it, and writes the page from all that is published."""

from featprune.findings.page import write_page
from tests.unit.findings.made import everything, publish_made

PAGE = "docs/findings.md"


def test_the_page_is_made_from_a_clean_clone_and_only_once(pristine, tmp_path):
    clone = pristine.copy(tmp_path / "clone")
    docs = clone.root / "docs/findings"
    done = clone.snakemake("findings", "--cores", "1", base="config.yaml")
    assert done.returncode != 0
    publish_made(docs, everything())
    assert clone.plan(PAGE, base="config.yaml").counts() == {"write_findings": 1}
    done = clone.snakemake("findings", "--cores", "1", base="config.yaml")
    assert done.returncode == 0, done.stdout
    assert (clone.root / PAGE).read_text() == write_page(docs)
    assert not clone.plan(PAGE, base="config.yaml")


def test_a_study_is_published_beside_the_others(scratch):
    docs = scratch.root / "docs/findings"
    publish_made(docs, everything(), "other")
    for _ in range(2):
        scratch.run("findings", overlay={"findings": "tiny"})
        assert not [job for job in scratch.plan(PAGE, overlay={"findings": "tiny"}) if not job.rule.startswith("plot_")]
        page = (scratch.root / PAGE).read_text()
        assert page == write_page(docs)
        assert "the study `tiny`" in page and "the study `other`" in page
    names = {path.name for path in (docs / "tiny").iterdir()}
    assert {"claims.csv", "tuned.csv", "config.yaml", "provenance.json", "digits_headline.png"} <= names
    # What is unpublished leaves the page.
    for path in (docs / "other").iterdir():
        path.unlink()
    scratch.run("findings", overlay={"findings": "tiny"})
    assert "the study `other`" not in (scratch.root / PAGE).read_text()
