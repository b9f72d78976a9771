"""Files of frozen rates."""

import pytest

from featprune.errors import FeatpruneError
from featprune.rates import Rate, read_rates
from featprune.runs.paths import DENSE, TICKET, Kind

HEAD = "alpha,criterion,rewind,lr,edge\n"
TABLE = "0.30,dense,dense,1,False\n0.30,magnitude,init,3.30,True\n1,magnitude,init,1.0,False\n"


def read(tmp_path, text):
    file = tmp_path / "rates.csv"
    file.write_text(text)
    return read_rates(str(file))


def test_alphas_match_as_numbers_and_rates_stay_as_written(tmp_path):
    rates = read(tmp_path, HEAD + TABLE)
    assert rates.of("0.3", TICKET) == rates.of("3e-1", TICKET) == Rate("3.30", True)
    assert rates.of("1.0", TICKET) == Rate("1", False), "a rate that was written before, differently"


def test_other_columns_do_not_matter(tmp_path):
    text = "deficit,alpha,lr,criterion,rewind,edge\n0.1,1,2,dense,dense,False\n"
    assert read(tmp_path, text).of("1", DENSE) == Rate("2", False)


def test_rows_are_plain_and_those_asked_for(tmp_path):
    rows = read(tmp_path, HEAD + TABLE).rows([("0.3", TICKET)])
    place = {"alpha": 0.3, "criterion": "magnitude", "rewind": "init", "lr": 3.3, "edge": True}
    assert rows == [place | {"quality": None}]


@pytest.mark.parametrize(("accuracy", "quality"), [("0.9", 0.9), ("", -0.2)])
def test_quality_is_the_accuracy_or_minus_the_loss(tmp_path, accuracy, quality):
    text = f"{HEAD.strip()},validation_accuracy,validation_loss\n1,dense,dense,1,False,{accuracy},0.2\n"
    assert read(tmp_path, text).of("1", DENSE) == Rate("1", False, quality)


def test_a_missing_kind_is_one_clear_line(tmp_path):
    rates = read(tmp_path, HEAD + TABLE)
    for alpha, kind in (("0.3", Kind("magnitude", "late")), ("3", TICKET)):
        with pytest.raises(FeatpruneError) as caught:
            rates.of(alpha, kind)
        where = f"criterion {kind.criterion}, rewind {kind.rewind} at alpha {alpha}"
        assert str(caught.value) == f"{tmp_path / 'rates.csv'}: no rate for {where}; tune it too, or leave it out"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("alpha,lr\n1,2\n", "line 2: expected alpha, criterion, rewind, lr, edge, with numbers for alpha and lr, and "),
        (HEAD + "1,dense,dense,fast,False\n", "line 2: expected "),
        (HEAD + "1,dense,dense,-1,False\n", "line 2: expected "),
        (HEAD + "1,dense,dense,1,no\n", "line 2: expected "),
        (HEAD + "1,dense\n", "line 2: expected "),
        (HEAD + TABLE + "0.3,dense,dense,3,True\n", "line 5: a second rate of the same alpha, criterion and rewind"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(tmp_path, text, end):
    with pytest.raises(FeatpruneError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'rates.csv'}: {end}") and "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FeatpruneError, match=r"none\.csv: No such file or directory; `snakemake rates` makes such"):
        read_rates(str(tmp_path / "none.csv"))
