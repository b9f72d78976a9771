"""Which files a study publishes, each made of which of its results. Light: the workflow plans by it.

{table}.csv                  the tables of TABLES_SHOWN, all experiments below each other
{experiment}_{figure}.png
config.yaml                  the resolved config, without what belongs to a machine
provenance.json              versions and commit, and what the run took
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from featprune.figures import FIGURES

if TYPE_CHECKING:
    from featprune.study import Study

CONFIG, PROVENANCE = "config.yaml", "provenance.json"
TABLES_SHOWN = ("claims", "tuned", "ablation", "rivals", "best_of", "records", "connectivity", "richness")
FIGURES_SHOWN = (
    "claims",
    "accuracy_vs_density",
    "headline",
    "rivals",
    "ablation",
    "best_of",
    "records",
    "layerwise_density",
    "feature_similarity",
    "connectivity",
    "early_stop",
)


def sources(study: Study) -> dict[str, list[str]]:
    """Name of a file to publish -> the results it is made of: the tables and pictures that the study's figures show."""
    made = {CONFIG: [f"{study.root}/{CONFIG}"], PROVENANCE: [f"{study.root}/{PROVENANCE}"]}
    for name in study.experiments:
        figures = study.drawn_figures(name)
        tables = {table for figure in figures for table in FIGURES[figure].tables}
        for table in TABLES_SHOWN:
            if table in tables:
                made.setdefault(f"{table}.csv", []).append(study.table_file(name, f"{table}.parquet"))
        for figure in FIGURES_SHOWN:
            if figure in figures:
                made[f"{name}_{figure}.png"] = [f"{study.root}/figures/{name}/{figure}.png"]
    return made
