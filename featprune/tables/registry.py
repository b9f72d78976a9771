"""The registry of tables: what each is made of, and the function that makes it.

Importing this costs nothing: a table's module is imported when the table is built. To add a table, write a function
that takes the paths of its inputs and its options by name and returns {output file name: content}, a frame, an iterator
of frames, or text, and enter it below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from featprune.runs import paths

if TYPE_CHECKING:
    import pandas as pd

    # Frames where all rows of many runs would be too much to hold at once.
    Content = pd.DataFrame | Iterator[pd.DataFrame] | str


@dataclass(frozen=True)
class RunFiles:
    """The files of this name of a selection of runs, a list of paths.

    of: "all"; or, of the seeds that do more than choose rates, "reported" (all), "compared" (pruned and dense runs
    whose features are compared), "measured" (dense runs and tickets whose amount of feature learning is), "connected"
    (dense runs of such tickets), "drawn" (those whose preactivations are), "compressed".
    """

    file: str
    of: str = "all"


@dataclass(frozen=True)
class TableFile:
    """A table, one path: of the experiment itself ("own") or of its "baseline"; or a list of paths, of each of the
    "borrowers", which train its tickets, or of its "rivals"."""

    name: str
    of: str = "own"


@dataclass(frozen=True)
class DatasetFile:
    """The experiment's prepared dataset, one path."""


@dataclass(frozen=True)
class Table:
    """What makes one or several tables of an experiment.

    build: "module:function". inputs: files by the name of the argument that takes their paths; one that an experiment
    lacks is left out. options: names of facts about the experiment that the study gives. outputs: names of files,
    (f"{name}.parquet",) if empty.
    """

    build: str
    inputs: Mapping[str, RunFiles | TableFile | DatasetFile]
    options: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The module that builds it."""
        return self.build.split(":")[0]

    def files(self, name: str) -> tuple[str, ...]:
        """Names of the files of the table that has this name in TABLES."""
        return self.outputs or (f"{name}.parquet",)

    def make(self, inputs: Mapping[str, str | list[str]], options: Mapping[str, Any]) -> dict[str, Content]:
        """File name -> content, from the paths of the inputs and the options' values."""
        function = getattr(import_module(self.module), self.build.split(":")[1])
        return function(**inputs, **options)


# A plain literal: the fingerprint of a table's code takes its own entry only.
TABLES: dict[str, Table] = {
    "summary": Table(
        "featprune.tables.performance:build_summary",
        {"histories": RunFiles(paths.HISTORY), "densities": RunFiles(paths.DENSITY)},
        options=("behind", "selection"),
        outputs=("summary.parquet", "tuned.parquet", "learning_curves.parquet"),
    ),
    "headline": Table(
        "featprune.tables.headline:build_headline",
        {"ours": TableFile("summary"), "baseline": TableFile("summary", "baseline")},
        options=("sides",),
        outputs=("headline.parquet", "headline_difference.parquet"),
    ),
    "ablation": Table(
        "featprune.tables.ablation:build_ablation",
        {"tuned": TableFile("tuned")},
        options=("decide_at",),
    ),
    "rivals": Table(
        "featprune.tables.rivals:build_rivals",
        {"ours": TableFile("tuned"), "rivals": TableFile("tuned", "rivals")},
        options=("headline", "decide_at"),
    ),
    "best_of": Table(
        "featprune.tables.tuning:build_best_of",
        {"summary": TableFile("summary")},
        options=("decide_at",),
    ),
    "records": Table(
        "featprune.tables.records:build_records",
        {
            "tuned": TableFile("tuned"),
            "compression": TableFile("compression"),
            "baseline": TableFile("tuned", "baseline"),
            "baseline_compression": TableFile("compression", "baseline"),
        },
        options=("published",),
    ),
    "rates": Table(
        "featprune.tables.tuning:build_rates",
        {"summary": TableFile("summary")},
        options=("decide_at", "selection"),
        outputs=("rates.csv",),
    ),
    "transfer": Table(
        "featprune.tables.transfer:build_transfer",
        {"own": TableFile("summary"), "others": TableFile("summary", "borrowers")},
        options=("mask_alphas", "selections"),
    ),
    "compression": Table(
        "featprune.tables.compression:build_compression",
        {"compressed": RunFiles(paths.COMPRESSION, "compressed"), "summary": TableFile("summary")},
    ),
    "masks": Table(
        "featprune.tables.masks:build_masks",
        {"masks": RunFiles(paths.MASK, "reported"), "densities": RunFiles(paths.DENSITY, "reported")},
        outputs=("layer_density.parquet", "pixel_mask.parquet"),
    ),
    "features": Table(
        "featprune.tables.features:build_features",
        {
            "features": RunFiles(paths.FEATURES, "compared"),
            "shifts": RunFiles(paths.TIME_SHIFT, "compared"),
            "densities": RunFiles(paths.DENSITY, "compared"),
        },
        outputs=("features.parquet", "time_shift.parquet"),
    ),
    "richness": Table(
        "featprune.tables.features:build_richness",
        {"richness": RunFiles(paths.RICHNESS, "measured"), "densities": RunFiles(paths.DENSITY, "measured")},
    ),
    "connectivity": Table(
        "featprune.tables.features:build_connectivity",
        {"connectivity": RunFiles(paths.CONNECTIVITY, "connected")},
    ),
    "overlap": Table(
        "featprune.tables.overlap:build_overlap",
        {
            "snapshots": RunFiles(paths.SNAPSHOTS, "measured"),
            "masks": RunFiles(paths.MASK, "measured"),
            "densities": RunFiles(paths.DENSITY, "measured"),
            "data": DatasetFile(),
        },
        options=("model",),
    ),
    "preactivations": Table(
        "featprune.tables.preactivations:build_preactivations",
        {
            "preactivations": RunFiles(paths.PREACTIVATIONS, "drawn"),
            "densities": RunFiles(paths.DENSITY, "drawn"),
            "data": DatasetFile(),
        },
    ),
    "claims": Table(
        "featprune.claims.table:build_claims",
        {
            "tuned": TableFile("tuned"),
            "features": TableFile("features"),
            "shifts": TableFile("time_shift"),
            "headline": TableFile("headline"),
        },
        options=("claims", "decide_at"),
        outputs=("claims.parquet", "claims.md"),
    ),
}
