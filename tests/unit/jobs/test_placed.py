import pytest

from featprune.jobs.placed import placed

PLANNED = {"claims.csv": ["a/claims.parquet", "b/claims.parquet"], "mnist": {"data": "d", "preactivations": ("p", "q")}}


def test_files_take_the_places_of_the_paths_in_their_order():
    here = placed(PLANNED, ["1", "2", "3", "4", "5"])
    assert here == {"claims.csv": ["1", "2"], "mnist": {"data": "3", "preactivations": ["4", "5"]}}


@pytest.mark.parametrize(("files", "wrong"), [("1234", "fewer"), ("123456", "more")])
def test_another_number_of_files_is_an_error(files, wrong):
    with pytest.raises(ValueError, match=wrong):
        placed(PLANNED, files)
