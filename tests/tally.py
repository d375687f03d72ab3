"""Figures that tests add up over a session; the end of the report shows them."""

from collections import Counter

TALLY: Counter[str] = Counter()


def table() -> list[str]:
    """One line a figure, in the order in which they came up."""
    width = max(map(len, TALLY), default=0)
    return [f"{name:<{width}}  {number:>7,}" for name, number in TALLY.items()]
