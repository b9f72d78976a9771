"""How long Snakemake plans: `python -m benchmarks.planning [--configfile FILE ...] [--blocks 1 2 3]`.

Dry runs of a study (presets/paper.yaml unless told otherwise) with one, two, ... times its blocks of seeds. A row says
how many jobs there are, CPU seconds and the most megabytes of the dry run, and milliseconds a job; the last line the
exponent with which the seconds grow. CPU seconds are more where others use the same caches.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.fresh import ROOT, cpu_seconds, usage_of

TOTAL = re.compile(r"^total +(\d+)$", re.M)


def with_blocks(configs: Sequence[dict[str, Any]], times: int) -> dict[str, Any]:
    """An overlay of these overlays that has so many times their blocks of seeds."""
    seeds: dict[str, int] = {}
    own: dict[str, dict[str, int]] = {}
    for config in configs:
        seeds |= config.get("seeds", {})
        for name, entry in config.get("experiments", {}).items():
            if entry.get("seeds"):
                own[name] = own.get(name, {}) | entry["seeds"]
    many = {name: {"seeds": {"count": times * some["count"]}} for name, some in own.items()}
    return {"seeds": {"count": times * seeds["count"]}, "experiments": many}


def dry_run(configfiles: Sequence[Path]) -> dict[str, float]:
    """Jobs, CPU seconds and megabytes of a dry run."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--snakefile", str(ROOT / "Snakefile"), "--configfile"]
    with TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").symlink_to(ROOT / "config.yaml")
        (Path(folder) / "presets").symlink_to(ROOT / "presets")  # what a key `rates` names
        with subprocess.Popen([*command, *map(str, configfiles)], stdout=subprocess.PIPE, cwd=folder, text=True) as run:
            assert run.stdout is not None
            said = run.stdout.read()
            usage = usage_of(run)
    total = TOTAL.search(said)
    if run.returncode or total is None:
        raise SystemExit(said[-2000:])
    return {"jobs": int(total[1]), "cpu_seconds": cpu_seconds(usage), "peak_mb": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description="How long does Snakemake plan?")
    parser.add_argument("--configfile", nargs="+", type=Path, default=[ROOT / "presets" / "paper.yaml"])
    parser.add_argument("--blocks", nargs="+", type=int, default=[1, 2, 3], help="times the study's own")
    given = parser.parse_args()
    files = [path.absolute() for path in given.configfile]
    configs = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "config.yaml", *files)]
    rows = []
    with TemporaryDirectory() as folder:
        for times in given.blocks:
            more = Path(folder) / f"{times}.yaml"
            more.write_text(yaml.safe_dump(with_blocks(configs, times)), encoding="utf-8")
            rows.append(dry_run([*files, more]))
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows).assign(ms_a_job=lambda t: 1e3 * t["cpu_seconds"] / t["jobs"])
    print(table.round(1).to_string(index=False))
    if len(rows) > 2:
        slope, _ = np.polyfit(np.log(table["jobs"]), np.log(table["cpu_seconds"]), 1)
        print(f"CPU seconds grow with jobs to the power of {slope:.2f}")


if __name__ == "__main__":
    main()
