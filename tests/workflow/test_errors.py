"""What goes wrong ends with one clear line, and leaves nothing half-made."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DENSE = "runs/experiment=tiny/alpha=0.3/lr=1/criterion=dense/rewind=dense/round=0/seeds=0-1"
TICKET = "runs/experiment=tiny/alpha=0.3/lr=1/criterion=magnitude/rewind=init"
OTHER = "results/runs/experiment=digits/alpha=1/lr=3/criterion=dense/rewind=dense/round=0/seeds=0-1/weights.safetensors"


@pytest.mark.parametrize(
    "overlay, line",
    [
        ({"seed": 3}, "config: seed: unknown key; did you mean 'seeds'?"),
        ({"experiments": {"tiny": {"alphas": ["rich"]}}}, "config: experiments.tiny.alphas[0]: expected a number"),
        ({"experiments": {"tiny": {"pruning": {"rewinds": ["inti"]}}}}, "unknown rewind 'inti'; did you mean 'init'?"),
        ({"run": ["mnits"]}, "config: run[0]: unknown experiment 'mnits'; did you mean 'mnist'?"),
        ({"experiments": {"tiny": {"pruning": {"rewinds": ["late"]}}}}, "tiny.pruning.late_step: missing"),
        ({"seeds": {"count": 10**9}}, "config: seeds.count: 1,000,000,000 asks for at least "),
        ({"results": "{results}"}, "config: results: '{results}' has braces"),
    ],
    ids=["key", "alpha", "rewind", "experiment", "late_step", "size", "folder"],
)
def test_a_mistake_in_the_configuration_is_one_line(finished, overlay, line):
    before = finished.files()
    done = finished.snakemake("--cores", "1", overlay=overlay)
    assert done.returncode != 0
    # Snakemake says which profile and configuration it takes; then comes our line, and nothing else.
    *_, before_last, last = done.stdout.strip().splitlines()
    assert last.startswith("config: ") and line in last
    assert before_last.startswith("Config file"), done.stdout
    assert finished.files() == before


def truncate(file):
    """Cut a file in half without changing its time, as a full disk or a broken copy does."""
    become(file, file.read_bytes()[: file.stat().st_size // 2])


def become(file, content):
    """Give a file another content without changing its time."""
    times = file.stat()
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    "broken, overlay, target",
    [
        ("data/small_teacher.safetensors", {"alphas": [0.3, 1, 3]}, DENSE.replace("alpha=0.3", "alpha=3")),
        (f"{TICKET}/round=2/seeds=0-1/weights.safetensors", {"pruning": {"rounds": 3}}, f"{TICKET}/round=3/seeds=0-1"),
    ],
    ids=["dataset", "weights"],
)
def test_a_truncated_file_is_named_and_stops_no_other_job(scratch, broken, overlay, target):
    truncate(scratch.results / broken)
    before = scratch.files()
    done = scratch.snakemake(
        f"results/{target}/weights.safetensors",
        OTHER,
        "--cores",
        "2",
        overlay={"experiments": {"tiny": overlay, "digits": {"lrs": [1, 3]}}},
    )
    assert done.returncode != 0
    assert f"error: results/{broken}: missing, truncated or not what was written" in done.stdout
    assert "Traceback" not in done.stdout
    after = scratch.files()
    assert OTHER in after, "the other job didn't finish"
    assert after.items() >= before.items(), "a file that was there has changed"
    assert not list((scratch.results / target).glob("*")), "the failed job left files"
    assert not list(scratch.results.rglob("*.partial")) + list(scratch.results.rglob(".*partial"))


def flipped(file):
    """A file's content with another last bit."""
    content = file.read_bytes()
    return content[:-1] + bytes([content[-1] ^ 1])


def of_the_round_before(file):
    """What the run before it has under the same name."""
    return (file.parents[2] / "round=1/seeds=0-1" / file.name).read_bytes()


@pytest.mark.parametrize(
    "file, fault, target, text",
    [
        ("round=1/seeds=0-1/weights.safetensors", flipped, f"{TICKET}/round=2/seeds=0-1/mask.safetensors", "checksum"),
        ("round=2/seeds=0-1/history.parquet", of_the_round_before, "tables/tiny/tuned.parquet", "round=1"),
    ],
    ids=["flipped", "of another run"],
)
def test_an_altered_file_is_named_and_the_same_command_goes_on(scratch, file, fault, target, text):
    file, target = scratch.results / TICKET / file, scratch.results / target
    whole, made = file.read_bytes(), target.read_bytes()
    become(file, fault(file))
    target.unlink()
    before = scratch.files()
    command = (str(target.relative_to(scratch.root)), "--cores", "1")
    done = scratch.snakemake(*command)
    assert done.returncode != 0 and "Traceback" not in done.stdout
    (line,) = {line for line in done.stdout.splitlines() if line.startswith("error: ")}
    assert line.startswith(f"error: {file.relative_to(scratch.root)}: ") and text in line
    become(file, whole)
    done = scratch.snakemake(*command)
    assert done.returncode == 0, done.stdout
    assert target.read_bytes() == made and before.keys() <= scratch.files().keys()


def test_a_table_of_an_older_version_is_named(scratch):
    tuned, figure = "results/tables/tiny/tuned.parquet", "results/figures/tiny/accuracy_vs_density.png"
    table = pq.ParquetFile(scratch.root / tuned).read()
    older = pa.BufferOutputStream()
    pq.write_table(table.drop_columns(["density"]).replace_schema_metadata(None), older)
    become(scratch.root / tuned, older.getvalue().to_pybytes())
    (scratch.root / figure).unlink()
    done = scratch.snakemake(figure, "--cores", "1", "--rerun-triggers", "mtime")
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert f"error: {tuned}: of another version, without what is read here (" in done.stdout


def test_results_may_lie_in_a_folder_of_any_name(scratch, tmp_path):
    """Nothing of the name reaches a shell."""
    folder = "my é/$(touch touched); 'x' & y"
    scratch.results.rename(scratch.root / "old")
    figure = f"{folder}/data/small_teacher.safetensors"
    done = scratch.snakemake(figure, "--cores", "1", overlay={"results": folder})
    assert done.returncode == 0, done.stdout
    assert (scratch.root / figure).exists() and not list(scratch.root.rglob("touched"))


def test_a_second_snakemake_leaves_the_first_alone(scratch):
    locks = scratch.root / ".snakemake/locks"
    locks.mkdir(parents=True, exist_ok=True)
    for kind in ("input", "output"):
        (locks / f"0.{kind}.lock").write_text("results/tables/tiny/tuned.parquet\n")
    before = scratch.files()
    (scratch.results / "tables/tiny/tuned.parquet").unlink()
    done = scratch.snakemake("results/tables/tiny/tuned.parquet", "--cores", "1")
    assert done.returncode != 0 and "Directory cannot be locked" in done.stdout and "--unlock" in done.stdout
    assert before.items() >= scratch.files().items() and len(list(locks.iterdir())) == 2
