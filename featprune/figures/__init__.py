"""The registry of figures: each is a function from tidy tables to a matplotlib figure.

Importing this costs nothing: a figure's module, and matplotlib with it, is imported when the figure is drawn.
To add a figure, write `featprune/figures/<name>.py` with `draw(tables)`, register it below, and describe it
in `workflow/report/<name>.rst`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from featprune.errors import FeatpruneError
from featprune.storage import atomic

if TYPE_CHECKING:
    import matplotlib.animation
    import matplotlib.figure
    import pandas as pd

DPI = 200  # of the PNG files
ANIMATION_DPI, FRAMES_PER_SECOND = 100, 2


@dataclass(frozen=True)
class Figure:
    """One figure: the module that draws it, the tables it reads, and its category in the report, numbered by its place
    in the argument, as Snakemake sorts categories by name."""

    module: str
    tables: tuple[str, ...]
    category: str
    needs: tuple[str, ...] = ()  # what an experiment must have: see `Study.shows`
    formats: tuple[str, ...] = ("png", "svg")

    def draw(self, tables: Mapping[str, pd.DataFrame]) -> matplotlib.figure.Figure | matplotlib.animation.Animation:
        """Draw from the frames named in `self.tables`.

        Raises FeatpruneError naming the figure and the table if a table is missing or has nothing to draw.
        """
        from featprune.figures.style import theme

        for name in self.tables:
            if name not in tables or tables[name].empty:
                what = "is empty" if name in tables else "is missing"
                raise FeatpruneError(f"figure {self.module!r}: table {name!r} {what}")
        try:
            with theme():
                return import_module(f"{__name__}.{self.module}").draw(tables)
        except FeatpruneError as error:
            raise FeatpruneError(f"figure {self.module!r}: {error}") from error


def of_theory(name: str, laws: bool = True) -> Figure:
    """The figure of an additional experiment, from what it measured and, if there are any, the laws found in that."""
    tables = (name, f"{name}_laws") if laws else (name,)
    return Figure(f"theory.{name}", tables, "9 Additional experiments", ("theory",))


# A plain literal: the fingerprint of a figure's code takes its own entry only.
FIGURES: dict[str, Figure] = {
    "accuracy_vs_density": Figure("accuracy_vs_density", ("tuned",), "1 Headline", ("pruning",)),
    "alpha_sweep": Figure("alpha_sweep", ("tuned",), "7 Theory", ("pruning", "alphas")),
    "headline": Figure("headline", ("headline", "headline_difference"), "1 Headline", ("pruning", "baseline")),
    "levels": Figure("levels", ("tuned",), "4 Levels", ("pruning", "levels")),
    "ablation": Figure("ablation", ("ablation",), "1 Headline", ("pruning", "classification", "criteria")),
    "rivals": Figure("rivals", ("rivals",), "1 Headline", ("classification", "rivals")),
    "best_of": Figure("best_of", ("best_of",), "1 Headline", ("pruning", "classification", "grid")),
    "records": Figure("records", ("records",), "1 Headline", ("pruning", "classification", "lenet")),
    "ticket_transfer": Figure("ticket_transfer", ("transfer",), "7 Theory", ("transfer",)),
    "compression": Figure("compression", ("compression",), "5 Compression", ("compression",)),
    "learning_curves": Figure("learning_curves", ("learning_curves", "tuned"), "3 Features", ("pruning",)),
    "early_stop": Figure("early_stop", ("tuned",), "3 Features", ("pruning", "classification", "tickets")),
    "preactivations": Figure("preactivations", ("preactivations",), "3 Features", ("features",)),
    "feature_similarity": Figure("feature_similarity", ("features",), "3 Features", ("comparisons",)),
    "feature_similarity_vs_density": Figure(
        "feature_similarity_vs_density", ("features",), "3 Features", ("comparisons",)
    ),
    "connectivity": Figure("connectivity", ("connectivity",), "3 Features", ("connections",)),
    "richness": Figure("richness", ("richness",), "7 Theory", ("features", "alphas")),
    "claims": Figure("claims", ("claims", "tuned"), "2 Claims", ("pruning",)),
    "teacher_overlap": Figure("teacher_overlap", ("overlap",), "6 Toy", ("teacher", "comparisons")),
    "toy_preactivations": Figure("toy_preactivations", ("preactivations",), "6 Toy", ("teacher", "comparisons")),
    "preactivation_dynamics": Figure(
        "preactivation_dynamics", ("preactivations",), "6 Toy", ("teacher", "comparisons"), ("gif",)
    ),
    "pixel_mask": Figure("pixel_mask", ("pixel_mask",), "4 Levels", ("pruning",)),
    "layerwise_density": Figure("layerwise_density", ("layer_density",), "4 Levels", ("pruning",)),
    "lazy_limit": of_theory("lazy_limit"),
    "kernel_regression": of_theory("kernel_regression"),
    "infinite_width": of_theory("infinite_width"),
    "wide_networks": of_theory("wide_networks"),
    "deep_linear": of_theory("deep_linear"),
    "pruned_modes": of_theory("pruned_modes", laws=False),
    "mean_field": of_theory("mean_field"),
    "order_parameters": of_theory("order_parameters"),
    "width_consistency": of_theory("width_consistency"),
    "ticket_width": of_theory("ticket_width", laws=False),
    "grokking": of_theory("grokking"),
}


def save(figure: matplotlib.figure.Figure | matplotlib.animation.Animation, paths: Iterable[str | Path]) -> None:
    """Write the figure to each path, in the format of its suffix; the same figure gives the same bytes."""
    from matplotlib.animation import Animation, PillowWriter

    from featprune.figures.style import theme

    undated = {".svg": {"Date": None}, ".png": {"Software": None}}
    for path in map(Path, paths):
        if path.suffix not in ({".gif"} if isinstance(figure, Animation) else undated):
            raise FeatpruneError(f"{path}: a figure is saved as {' or '.join(undated)}, an animation as .gif")
        # Ticks are made as they are drawn, so the theme must hold here too.
        with atomic(path) as partial, theme():
            if not isinstance(figure, Animation):
                figure.savefig(partial, format=path.suffix[1:], dpi=DPI, metadata=undated[path.suffix])
                continue
            # The writer takes the format from the suffix, which a partial file lacks.
            with TemporaryDirectory(dir=path.parent, prefix=f"{partial.name}.") as folder:
                whole = Path(folder, path.name)
                figure.save(whole, PillowWriter(fps=FRAMES_PER_SECOND), dpi=ANIMATION_DPI)
                whole.replace(partial)
