"""Numbers in words for pages: metric values, and how far one is from another."""

from __future__ import annotations

import math

KINDS = {"nan": "NaN", "inf": "∞", "-inf": "−∞"}


def metric(value: float | None) -> str:
    """A metric's value: three decimals, more figures where it is small, powers of ten where extreme."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.3f}" if 0.01 <= abs(value) < 1e9 else f"{value:.3g}"


def delta(value: float, base: float) -> str:
    """How far a value is from another, signed with a true minus: `+0.014`, `−3`, `same`."""
    apart = value - base
    if apart == 0:
        return "same"
    if not math.isfinite(apart):
        return ""
    sign = "+" if apart > 0 else "−"
    size = abs(apart)
    whole = size == int(size) and size < 1e9
    shown = f"{size:,.0f}" if whole else f"{size:,.3f}" if 0.0005 <= size < 1e9 else f"{size:.3g}"
    return f"{sign}{shown}"


def rounded(value: float | None) -> float | None:
    """A value for a chart: six figures are more than a pixel can tell."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
