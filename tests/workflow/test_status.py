"""`snakemake status` reads, whoever else runs in the folder."""

from base64 import urlsafe_b64encode

DENSE = "results/runs/experiment=tiny/alpha={}/lr=1/criterion=dense/rewind=dense/round=0/seeds=0-1/{}"


def test_status_needs_no_cores_and_leaves_a_lock_alone(pristine, tmp_path):
    workspace = pristine.copy(tmp_path / "study")
    for alpha in ("0.3", "1"):
        for name in ("weights.safetensors", "history.parquet"):
            file = workspace.root / DENSE.format(alpha, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    mark = urlsafe_b64encode(DENSE.format("1", "weights.safetensors").encode()).decode()
    held = [workspace.root / ".snakemake" / place for place in (f"incomplete/{mark}", "locks/0.output.lock")]
    for file in held:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{DENSE.format('1', 'weights.safetensors')}\n")
    before = workspace.files()
    done = workspace.snakemake("status")
    assert done.returncode == 0, done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[3:7] for row in rows if row[:3] == ["tiny", "dense", "dense"]] == [["1", "1", "0", "0"]], done.stdout
    assert "1 done, 1 running, " in done.stdout
    assert workspace.files() == before and all(file.is_file() for file in held)
