"""How the explorer looks in light and in dark: colours of pages and charts, and of strategies as in every figure."""

from __future__ import annotations

from typing import Any

import matplotlib
import pandas as pd
from matplotlib.colors import to_hex, to_rgb

from featprune.figures.style import LEVELS, SIGNED_MAP, choose_method, order_methods

VISIBLE = 4.5  # the contrast of a line with the dark page; WCAG 2.2 asks for 3 of graphics
# In light matrices have the colours of the figures; in dark zero is dark, and the same two hues lead away from it.
THEMES: dict[str, dict[str, str]] = {
    "light": {"paper": "#ffffff", "raised": "#f4f5f7", "ink": "#1c2127", "soft": "#56606b", "line": "#d5d9de"},
    "dark": {"paper": "#15181c", "raised": "#20252b", "ink": "#eceff2", "soft": "#aab3bd", "line": "#3b434c"},
}
ACCENT = {"light": "#0b57a4", "dark": "#7cb7ff"}
DARK_ENDS = "#6fb7ff", "#ff9470"  # below and above zero
DASHES = {"-": [1, 0], "--": [6, 3], ":": [2, 2]}
# Controls share their grey: the second and later ones are told apart by these.
CONTROL_DASHES = ([10, 3], [10, 3, 2, 3], [4, 4], [14, 6], [2, 5])
STOPS = 9


def luminance(color: str) -> float:
    """WCAG's relative luminance, 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """WCAG's contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def mix(a: str, b: str, share: float) -> str:
    """A colour on the way from a to b."""
    red, green, blue = ((1 - share) * x + share * y for x, y in zip(to_rgb(a), to_rgb(b), strict=True))
    return to_hex((red, green, blue))


def on_dark(color: str) -> str:
    """The colour, as much lighter as it takes to be seen on the dark page: the same hue."""
    shades = (mix(color, "#ffffff", percent / 100) for percent in range(101))
    return next(shade for shade in shades if contrast(shade, THEMES["dark"]["paper"]) >= VISIBLE)


def diverging(theme: str) -> list[str]:
    """Colours from the lowest value over zero to the highest."""
    places = [2 * i / (STOPS - 1) - 1 for i in range(STOPS)]
    if theme == "light":
        return [to_hex(matplotlib.colormaps[SIGNED_MAP]((place + 1) / 2)) for place in places]
    return [mix(THEMES[theme]["paper"], DARK_ENDS[place > 0], abs(place)) for place in places]


def strategies(runs: pd.DataFrame) -> list[dict[str, Any]]:
    """The pruned runs' strategies in the order of legends: key ("criterion/rewind"), label, colours, dash."""
    found: list[dict[str, Any]] = []
    for kind in order_methods(runs):
        method = choose_method(*kind)
        color = to_hex(method.color)
        dash = DASHES[LEVELS[method.level]]
        alike = sum(one["light"] == color for one in found)
        if alike and method.level == "controls":
            dash = CONTROL_DASHES[(alike - 1) % len(CONTROL_DASHES)]
        found.append(
            {"key": "/".join(kind), "label": method.label, "light": color, "dark": on_dark(color), "dash": dash}
        )
    return found


def themes() -> dict[str, dict[str, Any]]:
    """Of each theme its colours, those of matrices, and Vega's configuration."""
    return {
        name: {"colors": colors, "diverging": diverging(name), "config": _config(name)}
        for name, colors in THEMES.items()
    }


def style_variables() -> str:
    """The colours as CSS: what the system prefers, unless the page was told otherwise."""
    light, dark = (
        " ".join(f"--{name}: {color};" for name, color in (THEMES[theme] | {"accent": ACCENT[theme]}).items())
        + f" color-scheme: {theme};"
        for theme in ("light", "dark")
    )
    return (
        f":root {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {{ {dark} }} }}\n"
        f':root[data-theme="dark"] {{ {dark} }}\n'
    )


def _config(theme: str) -> dict[str, Any]:
    colors = THEMES[theme]
    text = {"labelColor": colors["ink"], "titleColor": colors["ink"], "labelFontSize": 12, "titleFontSize": 13}
    return {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": text | {"gridColor": colors["line"], "domainColor": colors["soft"], "tickColor": colors["soft"]},
        "range": {"diverging": diverging(theme)},
    }
