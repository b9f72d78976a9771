"""What tests of figures share."""

from featprune.figures import FIGURES, save


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def saved_twice_is_the_same(name, make_tables, folder):
    """Whether two figures of equal tables give the same bytes, in every format of the figure."""
    for take in "ab":
        for kind in FIGURES[name].formats:
            save(FIGURES[name].draw(make_tables()), [folder / f"{take}.{kind}"])
    return all(
        (folder / f"a.{kind}").read_bytes() == (folder / f"b.{kind}").read_bytes() for kind in FIGURES[name].formats
    )
