"""The explorer: one HTML file with its data, its charts and the library that draws them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from string import Template
from typing import Any

import vl_convert
from altair import SCHEMA_VERSION

from featprune.claims.rules import Rules
from featprune.claims.text import TITLES, explanation
from featprune.errors import FeatpruneError
from featprune.explorer.charts import MARKS, curves_chart, matrix_chart
from featprune.explorer.curves import claims, curves
from featprune.explorer.looks import strategies, style_variables, themes
from featprune.explorer.matrices import matrices
from featprune.explorer.sources import PAGE, SCRIPT, STYLE, read_part
from featprune.figures.bands import ACCURACY, ERROR, choose_metric
from featprune.tables.reading import read_frame

LARGEST = 25_000_000  # bytes of the page
FOR_MATRICES = 12_000_000  # bytes of matrices of all experiments, which are four thirds of that in the page


def write_page(made_of: Mapping[str, Mapping[str, Any]], claims_config: dict[str, Any], title: str) -> str:
    """The page from the files that `featprune.explorer.sources.sources` names; claims_config: the config's `claims`.

    Raises FeatpruneError where it would be larger than LARGEST.
    """
    rules = Rules.of(claims_config, ())
    networks = sum(len(files.get("preactivations", ())) for files in made_of.values())
    study = {
        "experiments": {
            name: show(files, FOR_MATRICES * len(files.get("preactivations", ())) // max(networks, 1))
            for name, files in made_of.items()
        },
        "charts": {metric.column: curves_chart(metric) for metric in (ACCURACY, ERROR)} | {"matrix": matrix_chart()},
        "themes": themes(),
        "claims": TITLES,
        "explanations": {claim: explanation(claim, rules).replace("`", "") for claim in TITLES},
        "marks": list(MARKS),
    }
    page = Template(read_part(PAGE)).substitute(
        title=escape(title),
        style=style_variables() + read_part(STYLE),
        library=as_script(library()),
        study=json.dumps(study, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        script=as_script(read_part(SCRIPT)),
    )
    if len(page.encode()) > LARGEST:
        raise FeatpruneError(
            f"explorer: the page has {len(page.encode()) / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}; "
            "name fewer experiments under `run`, or fewer rounds under `features.rounds`"
        )
    return page


def library() -> str:
    """Vega, Vega-Lite of the version that Altair writes, and vegaEmbed, as JavaScript."""
    version = ".".join(SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.javascript_bundle(None, vl_version=version)  # type: ignore[arg-type]


def show(files: Mapping[str, Any], budget: int) -> dict[str, Any]:
    """An experiment's part of the page as plain data; budget: bytes for its matrices."""
    summary, tuned, table = (read_frame(files[name]) for name in ("summary", "tuned", "claims"))
    metric = choose_metric(tuned)
    shown = matrices(files["preactivations"], files["data"], budget) if "preactivations" in files else []
    return {
        "metric": metric.column,
        "unit": "%" if metric is ACCURACY else "",
        "name": metric.label.removesuffix(" (%)"),
        "strategies": strategies(tuned),
        "curves": curves(summary, tuned, metric),
        "claims": claims(table),
        "matrices": shown,
    }


def as_script(code: str) -> str:
    """JavaScript that can't end the element that it stands in."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")
