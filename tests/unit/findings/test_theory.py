from featprune.findings.theory import write_theory

CAPTION = "What is shown, with ``code``.\n\n.. include:: {{ snakemake.output.found }}\n"
FOUND = "What was found:\n\n- slope: exponent -0.5 [-0.6, -0.4] over 4 seeds; \\1 the law says -0.5.\n"


def test_a_part_has_its_picture_its_caption_and_what_was_found():
    page = write_theory({"lazy_limit": ("theory/lazy_limit.png", CAPTION, FOUND)})
    assert (
        "## Lazy limit\n\n![lazy limit](theory/lazy_limit.png)\n\nWhat is shown, with `code`.\n\nWhat was found:"
        in page
    )
    assert page.endswith("\\1 the law says -0.5.\n")
    assert "include::" not in page and page.startswith("# Additional experiments\n")
