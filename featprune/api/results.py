"""The results of a study, read from Python: experiments, tidy tables, and runs whose arrays load when they are used.

Needs neither torch nor Snakemake. `results/README.md` says which files there are, and what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from featprune.api.run import Run, describe, grouped, matches
from featprune.errors import FeatpruneError, lookup, nearest
from featprune.findings.contents import CONFIG
from featprune.findings.publication import read_table
from featprune.runs.paths import WEIGHTS, Cell, RunPath
from featprune.tables.frames import AXES
from featprune.tables.reading import read_frame

# Columns whose type doesn't depend on what a table holds. Counts that a run may lack are nullable.
TYPES = {
    "experiment": "str",
    "alpha": "float64",
    "lr": "float64",
    "criterion": "str",
    "rewind": "str",
    "round": "Int32",
    "seed": "Int32",
    "layer": "Int32",
    "step": "Int32",
    "density": "float64",
}


def open_study(folder: str | Path = "results") -> StudyResults:
    """Open what `snakemake` has made in a folder, or what a study has published in `docs/findings/<name>`.

    Args:
        folder: The folder of results, the config's key `results`; it holds `config.yaml`.

    Returns:
        The study, an experiment a name: ``open_study("results")["mnist"].table("tuned")``. Nothing is read yet but
        its config.

    Raises:
        FeatpruneError: where the folder holds no study.

    >>> open_study("docs/findings/headline")["headline"].table("rivals")  # doctest: +SKIP
    """
    folder = Path(folder)
    try:
        config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        return StudyResults(folder, config, {name: config["experiments"][name] for name in config["run"]})
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        way = f"name the folder that the key `results` of its config names, after `snakemake` has written its {CONFIG}"
        raise FeatpruneError(f"{folder}: holds no study; {way}") from error


@dataclass(frozen=True, eq=False)
class StudyResults(Mapping[str, "ExperimentResults"]):
    """A study's results, a mapping from the names of its experiments to them, in the order in which they are run.

    folder: where they lie. config: the resolved config. entries: those of the experiments in it.
    """

    folder: Path
    config: Mapping[str, Any]
    entries: Mapping[str, Mapping[str, Any]]

    @cached_property
    def experiments(self) -> dict[str, ExperimentResults]:
        """Every experiment that was run, by name."""
        return {name: ExperimentResults(self, name, entry) for name, entry in self.entries.items()}

    def __getitem__(self, name: str) -> ExperimentResults:
        return lookup(self.experiments, name, "experiment")

    def __contains__(self, name: object) -> bool:
        return name in self.experiments

    def __iter__(self) -> Iterator[str]:
        return iter(self.experiments)

    def __len__(self) -> int:
        return len(self.experiments)

    def __repr__(self) -> str:
        return f"<study in {self.folder}: {', '.join(self)}>"

    @cached_property
    def published(self) -> dict[str, pd.DataFrame]:
        """Tables as CSV, by name, all experiments below each other: where the folder is a published one."""
        return {path.stem: read_table(path) for path in sorted(self.folder.glob("*.csv"))}

    def table(self, name: str) -> pd.DataFrame:
        """A table of all experiments that have it, one below the other.

        Raises FeatpruneError where none has it.
        """
        found = [e.table(name) for e in self.values() if name in e.tables]
        if not found:
            known = {table for e in self.values() for table in e.tables}
            raise FeatpruneError(f"{self.folder}: no table {name!r}; {nearest(name, known)}")
        return pd.concat(found, ignore_index=True)


@dataclass(frozen=True, eq=False)
class ExperimentResults:
    """One experiment's results; config: its resolved entry."""

    study: StudyResults
    name: str
    config: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<experiment {self.name}: {len(self.tables)} tables in {self.study.folder}>"

    @property
    def tables(self) -> list[str]:
        """The names of the tables that there are."""
        made = (self.study.folder / "tables" / self.name).glob("*.parquet")
        told = (name for name, table in self.study.published.items() if (table["experiment"] == self.name).any())
        return sorted({*(path.stem for path in made), *told})

    def table(self, name: str) -> pd.DataFrame:
        """A tidy table: a row an observation, with the experiment and the axes of its runs as columns.

        Axes are typed alike in all tables: alpha, lr and density are float64, round, seed, layer and step nullable
        integers, experiment, criterion and rewind strings. lr multiplies the config's learning rate; accuracies and
        densities are shares of 1, steps those of the optimizer. The modules of `featprune.tables` define the columns.

        Raises FeatpruneError for a table that there isn't, or whose file is broken.
        """
        table = self._read(name)
        if "experiment" not in table:
            table.insert(0, "experiment", self.name)
        return table.astype({column: kind for column, kind in TYPES.items() if column in table})

    def _read(self, name: str) -> pd.DataFrame:
        """A table as it was written."""
        path = self.study.folder / "tables" / self.name / f"{name}.parquet"
        if path.exists():
            return read_frame(str(path))
        if name in self.tables:
            table = self.study.published[name]
            return table[table["experiment"] == self.name].reset_index(drop=True)
        way = "; `snakemake` makes it where a figure needs it"
        raise FeatpruneError(f"{self.name}: no table {name!r}{way}; {nearest(name, self.tables)}")

    def draw(self, figure: str) -> Any:
        """Draw one of the study's figures from the tables here, a name in `featprune.figures.FIGURES`.

        Returns a `matplotlib.figure.Figure`, or of `preactivation_dynamics` an animation. Raises FeatpruneError for an
        unknown figure, or where a table that it needs is missing.
        """
        from featprune.figures import FIGURES

        entry = lookup(FIGURES, figure, "figure")
        return entry.draw({name: self._read(name) for name in entry.tables})

    @cached_property
    def _runs(self) -> list[Run]:
        anywhere = RunPath(Cell(self.name, "*", "*", "*", "*"), "*", "*")
        files = self.study.folder.glob(anywhere.file(".", WEIGHTS))
        return [Run(self.study.folder, places) for places in grouped(map(RunPath.parse, files))]

    @property
    def axes(self) -> dict[str, list[Any]]:
        """Axis -> its values among the runs that there are, ascending."""
        return {axis: sorted({run.axes[axis] for run in self._runs}) for axis in AXES}

    def runs(self, **axes: Any) -> list[Run]:
        """The runs at these values of axes; a list or tuple of values means any of them.

        Args:
            axes: Any of alpha, lr (numbers, or as they are written), criterion, rewind, round. The dense run is
                criterion "dense", rewind "dense", round 0.

        Returns:
            Runs by alpha, lr, criterion, rewind, round; empty where there are none. A run holds all its seeds, those
            that only chose rates too.

        Raises:
            FeatpruneError: for an unknown axis.
        """
        for axis in axes:
            if axis not in AXES:
                raise FeatpruneError(f"unknown axis {axis!r}; {nearest(axis, AXES)}")
        return [run for run in self._runs if matches(run.axes, axes)]

    def run(self, **axes: Any) -> Run:
        """The one run at these values of axes; raises FeatpruneError where there is none, or more than one."""
        found = self.runs(**axes)
        if len(found) == 1:
            return found[0]
        raise FeatpruneError(f"{self.name}: {describe(axes, found, self.axes)}")
