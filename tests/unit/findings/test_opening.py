"""The first page of a report: the findings page's words on this run alone."""

from docutils.core import publish_parts

from featprune.findings.opening import opening, tell
from tests.unit.findings.made import made_claims, made_tuned, publish_made


def test_the_report_opens_with_the_lines_of_the_findings_page_and_what_it_took(tmp_path):
    study = publish_made(tmp_path, {"claims": made_claims(), "tuned": made_tuned()}, "mine")
    page = tell(study)
    said = list(opening(study))
    assert len(said) >= 3
    assert all(part in page for part in said)
    assert "- 12 jobs, 3.25 core-hours in all." in page
    html = publish_parts(page, writer_name="html", settings_overrides={"halt_level": 2})["body"]
    assert html.count("<h1>") == 3


def test_a_run_without_claims_says_so(tmp_path):
    assert "No experiment of this run has a claim to decide." in tell(publish_made(tmp_path, {"tuned": made_tuned()}))
