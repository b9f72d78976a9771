"""What a study publishes of its results, a folder of small files, and what is read from such folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from featprune.errors import FeatpruneError
from featprune.findings.contents import CONFIG, PROVENANCE
from featprune.jobs.benchmarks import job_seconds
from featprune.storage import atomic
from featprune.tables.frames import RUN
from featprune.tables.reading import read_frame

LIMIT = 2_000_000  # bytes of all tables of a study
DIGITS = "%.5g"  # accuracies have four
WORDS = ("claim", "statistic", "criterion", "rewind", "verdict")  # columns in which an empty field is an empty word
PUBLISHING = ("publish_tables", "write_findings", "write_opening")  # rules
OF_MACHINE = ("results", "data_dir", "device", "keep_snapshots", "checkpoint_minutes")


def of_runs(tuned: pd.DataFrame) -> pd.DataFrame:
    """What is told of each run at the rate chosen; without the column `edge` where it isn't known."""
    performance = ["test_accuracy", "test_loss", "early_stop_step", "early_stop_test_accuracy", "diverged"]
    return tuned.filter([*RUN, "density", "edge", "steps", "total_steps", *performance])


def of_linearization(richness: pd.DataFrame) -> pd.DataFrame:
    """The linearization error of each run at its last step."""
    last = richness["step"] == richness["step"].max()
    rows = richness[last & (richness["layer"] == 0) & (richness["measure"] == "linearization_error")]
    return rows[[*RUN, "density", "step", "value"]].rename(columns={"value": "linearization_error"})


def of_test(connectivity: pd.DataFrame) -> pd.DataFrame:
    """The barriers on the test split."""
    return connectivity[connectivity["split"] == "test"]


# Tables of which only a part is published.
PARTS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "tuned": of_runs,
    "connectivity": of_test,
    "richness": of_linearization,
}


def publish(made_of: Mapping[str, Sequence[str]], folder: str | Path, root: str | Path) -> None:
    """Write the files that `sources` names to the folder, and remove what else it holds.

    root: the study's results, whose benchmarks tell what it took. Raises FeatpruneError where tables are too large.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, files in made_of.items():
        with atomic(folder / name) as partial:
            write(name, files, Path(root), partial)
    for path in folder.iterdir():
        if path.name not in made_of:
            path.unlink()
    size = sum(path.stat().st_size for path in folder.glob("*.csv"))
    if size > LIMIT:
        raise FeatpruneError(f"{folder}: tables of {size:,} bytes, more than {LIMIT:,}; run fewer experiments in it")


def write(name: str, files: Sequence[str], root: Path, path: Path) -> None:
    """Write one file to publish to this path."""
    if name == CONFIG:
        path.write_text(yaml.safe_dump(told_config(files[0]), sort_keys=False), encoding="utf-8")
    elif name == PROVENANCE:
        path.write_text(json.dumps(told_provenance(files[0], root), indent=2) + "\n", encoding="utf-8")
    elif name.endswith(".csv"):
        told_table(name.removesuffix(".csv"), files).to_csv(path, index=False, float_format=DIGITS)
    else:
        shutil.copyfile(files[0], path)


def told_config(file: str | Path) -> dict[str, Any]:
    """The resolved config without what belongs to a machine."""
    config = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    return {key: value for key, value in config.items() if key not in OF_MACHINE}


def told_provenance(file: str | Path, root: Path) -> dict[str, Any]:
    """Versions and commit, and what the run took."""
    told = json.loads(Path(file).read_text(encoding="utf-8"))
    return {key: told[key] for key in ("packages", "commit", "uncommitted_changes", "python")} | {"took": took(root)}


def told_table(name: str, files: Iterable[str | Path]) -> pd.DataFrame:
    """What is told of a table, all experiments below each other."""
    frames = (read_frame(str(file)) for file in files)
    return pd.concat([PARTS[name](f) if name in PARTS else f for f in frames], ignore_index=True)


def took(root: Path) -> dict[str, float]:
    """The jobs behind these results and their hours, each on one core, by Snakemake's own benchmarks.

    Without the jobs that publish: what they wrote would change when they write it again.
    """
    seconds = [seconds for job, seconds in job_seconds(root) if job.name not in PUBLISHING]
    return {"jobs": len(seconds), "core_hours": round(sum(seconds) / 3600, 2)}


@dataclass(frozen=True)
class Publication:
    """What was published of a study; a table that it has not is empty."""

    name: str
    tables: Mapping[str, pd.DataFrame]
    figures: tuple[str, ...]
    config: Mapping[str, Any]
    provenance: Mapping[str, Any]

    def table(self, name: str) -> pd.DataFrame:
        """The table, or none of its rows."""
        return self.tables.get(name, pd.DataFrame())

    def named(self, table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
        """The rows of each experiment of a table, in the order in which the study runs them."""
        if table.empty:
            return []
        parts = dict(list(table.groupby("experiment")))
        return [(name, parts[name]) for name in self.config["run"] if name in parts]


def published(folder: str | Path) -> list[Publication]:
    """Everything published in the folder, by name; raises FeatpruneError if that is nothing."""
    folders = sorted(path.parent for path in Path(folder).glob(f"*/{CONFIG}"))
    if not folders:
        way = "`snakemake findings --configfile presets/study.yaml` runs a study and publishes it"
        raise FeatpruneError(f"{folder}: nothing is published; {way}")
    return [read(path) for path in folders]


def gather(made_of: Mapping[str, Sequence[str]], root: Path) -> Publication:
    """What a study would publish, from its results alone; without figures."""
    names = [name.removesuffix(".csv") for name in made_of if name.endswith(".csv")]
    tables = {name: told_table(name, made_of[f"{name}.csv"]) for name in names}
    config, provenance = told_config(made_of[CONFIG][0]), told_provenance(made_of[PROVENANCE][0], root)
    return Publication(root.name, tables, (), config, provenance)


def read(folder: Path) -> Publication:
    """What was published in this folder."""
    return Publication(
        folder.name,
        {path.stem: read_table(path) for path in sorted(folder.glob("*.csv"))},
        tuple(path.name for path in sorted(folder.glob("*.png"))),
        yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8")),
        json.loads((folder / PROVENANCE).read_text(encoding="utf-8")),
    )


def read_table(path: Path) -> pd.DataFrame:
    """A published table: `claim` is a word, though some are numbers, and an empty word isn't missing."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(WORDS, str))
    return table.fillna({word: "" for word in WORDS if word in table})
