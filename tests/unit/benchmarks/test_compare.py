"""Results are compared by what is in them, and what differs is named."""

import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import compare
from benchmarks.compare import describe, digest

TABLE = pd.DataFrame({"seed": pd.array([0, 1, 2], "int32"), "loss": [0.5, None, 0.25], "criterion": ["a", "b", "c"]})


@pytest.fixture
def written(tmp_path):
    """A function that writes a table into a folder of results, and returns the folder."""

    def write(name, table, file="tables/e/summary.parquet", **options):
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        table = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
        pq.write_table(table, path, **options)
        return tmp_path / name

    return write


def sums(*roots):
    return [compare.digests(root) for root in roots]


def test_how_a_table_is_stored_does_not_count(written):
    first = written("a", TABLE, compression="zstd")
    paged = pa.Table.from_pandas(TABLE, preserve_index=False)
    other = written("b", paged.replace_schema_metadata({"by": "another"}), row_group_size=1, compression="none")
    path = "tables/e/summary.parquet"
    assert (first / path).read_bytes() != (other / path).read_bytes()
    a, b = sums(first, other)
    assert a == b and list(a) == [path]


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda t: t.assign(loss=[0.5, None, 0.25000001]), "loss by up to 1e-08 in 1 of 3 rows"),
        (lambda t: t.assign(loss=[0.5, 0.5, 0.25]), "loss by up to 0 in 1 of 3 rows"),
        (lambda t: t.assign(criterion=["a", "b", "d"]), "criterion differs"),
        (
            lambda t: t.iloc[::-1],
            "seed by up to 2 in 2 of 3 rows, loss by up to 0.25 in 2 of 3 rows, criterion differs",
        ),
        (lambda t: t.assign(seed=t["seed"].astype("int64")), "other columns, types or rows (3 and 3)"),
        (lambda t: t[:2], "other columns, types or rows (3 and 2)"),
    ],
    ids=["value", "null", "text", "order", "type", "rows"],
)
def test_what_is_in_a_table_counts(written, change, told):
    first, other = written("a", TABLE), written("b", change(TABLE))
    a, b = sums(first, other)
    assert compare.differing(a, b) == ["tables/e/summary.parquet"]
    assert describe(*(root / "tables/e/summary.parquet" for root in (first, other))) == told


def test_a_null_is_not_a_nan(written):
    tables = (pa.table({"loss": pa.array([value], pa.float64())}) for value in (None, float("nan")))
    a, b = sums(*(written(name, table) for name, table in zip("ab", tables, strict=True)))
    assert a != b


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    code = compare.main()
    return code, capsys.readouterr().out.splitlines()


def test_the_command_lists_what_differs_and_fails(written, monkeypatch, capsys):
    first, same, other = (written(name, TABLE) for name in ("a", "same", "other"))
    (first / "tables/e/claims.md").write_text("holds\n")
    (same / "tables/e/claims.md").write_text("holds\n")
    written("other", TABLE, "runs/round=0/history.parquet")
    written("other", TABLE.assign(loss=0.5))
    assert run(monkeypatch, capsys, first, same)[0] == 0
    code, lines = run(monkeypatch, capsys, first, same, other)
    assert code == 1
    assert lines[0].endswith(f"{first}: 2 files") and lines[1].endswith(f"{same}: the same")
    assert lines[2].endswith(f"{other}: 2 differ")
    assert lines[3:] == [
        "    tables/e/claims.md: not in the other",
        "    tables/e/summary.parquet: loss by up to 0.25 in 2 of 3 rows",
    ]
    assert (
        "runs/round=0/history.parquet: not in the first"
        in run(monkeypatch, capsys, first, other, "--parts", "runs", "tables")[1][2]
    )


def test_one_folder_gives_a_line_a_file(written, monkeypatch, capsys):
    root = written("a", TABLE)
    code, lines = run(monkeypatch, capsys, root)
    assert (code, lines[0]) == (0, f"{digest(root / 'tables/e/summary.parquet')}  tables/e/summary.parquet")
    with pytest.raises(SystemExit):
        run(monkeypatch, capsys, root, "--parts", "figures")
