"""The explorer's charts as Vega-Lite, written with Altair. The page gives them their data."""

from __future__ import annotations

from typing import Any

import altair as alt

from featprune.claims.verdicts import FAILS, HOLDS, UNDECIDED
from featprune.figures.bands import Metric

NOT_JUDGED = "not judged"
MARKS = {HOLDS: "circle", FAILS: "M-0.8,-0.8L0.8,0.8M0.8,-0.8L-0.8,0.8", UNDECIDED: "diamond", NOT_JUDGED: "stroke"}
CURVES_HEIGHT, MATRIX_HEIGHT = 340, 300
# Of a logarithmic axis the lines at powers of ten only.
_AT_DECADES = alt.condition(
    "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6", alt.value(1), alt.value(0)
)
_DECADES: dict[str, Any] = {"format": "~g", "gridOpacity": _AT_DECADES, "tickOpacity": _AT_DECADES}


def curves_chart(metric: Metric) -> dict[str, Any]:
    """Means with bands against density, marked by verdicts: data `curves`, `dense` (a row) and `here` (a row).

    A row of `curves` brings its colour, dash and weight. The signal `ticks` is a list of densities.
    """
    ticks = alt.param(name="ticks", value=[])
    scale = alt.Scale(type="log", nice=True) if metric.log else alt.Scale(zero=False, nice=True)
    x = alt.X(
        "density:Q",
        scale=alt.Scale(type="log", reverse=True, nice=False, padding=14),
        axis=alt.Axis(
            title="weights remaining (%)",
            values=alt.ExprRef("ticks"),  # type: ignore[arg-type]
            labelExpr="format(datum.value, datum.value < 10 ? '.2~g' : '.0f')",
            labelOverlap="greedy",
            grid=False,
        ),
    )
    y_axis = alt.Axis(title=metric.label, tickCount=6, **(_DECADES if metric.log else {"format": "~f"}))

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=scale, axis=y_axis)

    color = alt.Color("color:N", scale=None)
    look = {"color": color, "detail": alt.Detail("strategy:N"), "x": x}
    curves = alt.Chart(alt.NamedData(name="curves"))
    dense = alt.Chart(alt.NamedData(name="dense"))
    here = alt.Chart(alt.NamedData(name="here"))
    layers = [
        dense.mark_rect(opacity=0.12).encode(y=y("low"), y2="high:Q", color=color),
        dense.mark_rule(strokeWidth=1.5).encode(y=y("mean"), color=color),
        curves.mark_area(clip=True)
        .transform_filter("isValid(datum.low)")
        .encode(y=y("low"), y2="high:Q", opacity=alt.Opacity("shade:Q", scale=None), **look),
        curves.mark_line(clip=True).encode(
            y=y("mean"),
            strokeDash=alt.StrokeDash("dash:N", scale=None),
            strokeWidth=alt.StrokeWidth("weight:Q", scale=None),
            opacity=alt.Opacity("strength:Q", scale=None),
            **look,
        ),
        here.mark_rule(strokeDash=[2, 3]).encode(x=x, color=color),
        curves.mark_point(strokeWidth=1.6, opacity=1).encode(
            y=y("mean"),
            size=alt.Size("size:Q", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            stroke=alt.Stroke("color:N", scale=None),
            opacity=alt.Opacity("strength:Q", scale=None),
            shape=alt.Shape("verdict:N", scale=alt.Scale(domain=list(MARKS), range=list(MARKS.values())), legend=None),
            tooltip=[
                alt.Tooltip("label:N", title="strategy"),
                alt.Tooltip("density:Q", title="weights (%)", format=".3~g"),
                alt.Tooltip("mean:Q", title=metric.label, format=".4~g"),
                alt.Tooltip("interval:N", title="95 % interval"),
                alt.Tooltip("seeds:Q", title="seeds"),
                alt.Tooltip("verdict:N", title="linked claim"),
            ],
            x=x,
        ),
        here.mark_point(size=330, strokeWidth=2).encode(x=x, y=y("mean"), color=color),
    ]
    chart = alt.layer(*layers).add_params(ticks)
    return _spec(chart, CURVES_HEIGHT, f"{metric.label} against weights remaining, a line a strategy")


def matrix_chart() -> dict[str, Any]:
    """A matrix of preactivations: data `cells` of x (sample), y (unit), value; the signal `limit` ends the colours."""
    limit = alt.param(name="limit", value=1)
    ends = [alt.ExprRef("-limit"), alt.ExprRef("limit")]
    chart = (
        alt.Chart(alt.NamedData(name="cells"))
        .mark_rect()
        .encode(
            x=alt.X("x:O", axis=None),
            y=alt.Y("y:O", axis=None),
            color=alt.Color("value:Q", scale=alt.Scale(domain=ends, domainMid=0, clamp=True), legend=None),
            tooltip=[
                alt.Tooltip("unit:N"),
                alt.Tooltip("label:N", title="label"),
                alt.Tooltip("value:Q", title="preactivation", format=".3~g"),
            ],
        )
        .add_params(limit)
    )
    return _spec(chart, MATRIX_HEIGHT, "preactivations, a row a unit and a column a test sample")


def _spec(chart: alt.TopLevelMixin, height: int, description: str) -> dict[str, Any]:
    spec = chart.properties(width="container", height=height, description=description).to_dict(validate=True)
    return {name: value for name, value in spec.items() if name != "config"}
