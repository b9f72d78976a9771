"""The registry of the theory's results: what measures each. Light.

To add one, write `featprune/theory/<name>.py` with `measure(**options)`, which trains small networks and returns a tidy
frame, and `laws(table)`, the exponents that it tells of, if theory says any; enter it below, with its options and their
defaults in the schema, under `theory`; and add a figure of the same name (`of_theory` in `featprune/figures`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "theory"  # where results and figures have it, in the place of an experiment


@dataclass(frozen=True)
class Result:
    """One result, measured by this module of featprune.theory; has_laws: whether theory says exponents of it."""

    name: str
    has_laws: bool = True

    @property
    def module(self) -> str:
        """The module's whole name."""
        return f"featprune.theory.{self.name}"

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of what is measured, and of the laws that are found in it, if there are any."""
        return self.name, *[f"{self.name}_laws"] * self.has_laws

    def measure(self, options: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
        """Table -> frame; options: as the config has them."""
        module = import_module(self.module)
        measured = module.measure(**options)
        frames = [measured, module.laws(measured)] if self.has_laws else [measured]
        return dict(zip(self.tables, frames, strict=True))


# A plain literal: the fingerprint of a result's code takes its own entry only.
RESULTS: dict[str, Result] = {
    "lazy_limit": Result("lazy_limit"),
    "kernel_regression": Result("kernel_regression"),
    "infinite_width": Result("infinite_width"),
    "wide_networks": Result("wide_networks"),
    "deep_linear": Result("deep_linear"),
    "pruned_modes": Result("pruned_modes", has_laws=False),
    "mean_field": Result("mean_field"),
    "order_parameters": Result("order_parameters"),
    "width_consistency": Result("width_consistency"),
    "ticket_width": Result("ticket_width", has_laws=False),
    "grokking": Result("grokking"),
}
