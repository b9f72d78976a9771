"""`snakemake status` reads, whoever else runs in the folder."""


def test_status_needs_no_cores_and_leaves_a_lock_alone(scratch):
    dense = "runs/experiment=tiny/alpha=1/lr=1/criterion=dense/rewind=dense/round=0/seeds=0-1/weights.safetensors"
    (scratch.results / dense).unlink()
    lock = scratch.root / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text(f"results/{dense}\n")
    before = scratch.files()
    done = scratch.snakemake("status")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    row = next(line.split() for line in lines if line.split()[:3] == ["tiny", "dense", "dense"])
    assert row[3:7] == ["1", "0", "1", "0"], "done, running, missing, failed"
    assert any(" 0 running, 1 missing, 0 failed; " in line for line in lines), done.stdout
    assert scratch.files() == before and lock.is_file()
