"""What a study publishes of its results, a folder of small files, and what is read from such folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from featprune.errors import FeatpruneError
from featprune.findings.contents import CONFIG, PROVENANCE
from featprune.storage import atomic
from featprune.tables.frames import RUN
from featprune.tables.reading import read_frame

LIMIT = 2_000_000  # bytes of all tables of a study
DIGITS = "%.5g"  # accuracies have four
WORDS = ("claim", "statistic", "criterion", "rewind", "verdict")  # columns in which an empty field is an empty word
PUBLISHING = ("publish_tables", "write_findings", "write_opening")  # rules
OF_MACHINE = ("results", "data_dir", "device", "keep_snapshots")


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
        config = yaml.safe_load(Path(files[0]).read_text(encoding="utf-8"))
        kept = {key: value for key, value in config.items() if key not in OF_MACHINE}
        path.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    elif name == PROVENANCE:
        told = json.loads(Path(files[0]).read_text(encoding="utf-8"))
        kept = {key: told[key] for key in ("packages", "commit", "uncommitted_changes", "python")}
        path.write_text(json.dumps(kept | {"took": took(root)}, indent=2) + "\n", encoding="utf-8")
    elif name.endswith(".csv"):
        table = name.removesuffix(".csv")
        frames = (read_frame(file) for file in files)
        frame = pd.concat([PARTS[table](f) if table in PARTS else f for f in frames], ignore_index=True)
        frame.to_csv(path, index=False, float_format=DIGITS)
    else:
        shutil.copyfile(files[0], path)


def took(root: Path) -> dict[str, float]:
    """The jobs behind these results and their hours, each on one core, by Snakemake's own benchmarks.

    Without the jobs that publish: what they wrote would change when they write it again.
    """
    files = [file for file in sorted((root / "benchmarks").rglob("*.tsv")) if file.stem not in PUBLISHING]
    seconds = sum(pd.read_csv(file, sep="\t")["s"].sum() for file in files)
    return {"jobs": len(files), "core_hours": round(float(seconds) / 3600, 2)}


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
