"""Where questions lie beside passages: only questions move, and by no more than their languages say."""

import numpy as np

from index.centres import load_table
from index.settings import DEFAULT_MODEL
from qa.shifts import load_shifts, unshifted

DIMENSION = 384


def test_every_language_of_the_table_has_its_shift() -> None:
    shifts, table = load_shifts(DEFAULT_MODEL, DIMENSION), load_table(DEFAULT_MODEL, DIMENSION)
    assert shifts.rows == table.rows and shifts.vectors.shape == shifts.tokens.shape == table.passage_offsets.shape
    assert np.abs(shifts.vectors.mean(axis=0)).max() < 1e-3  # of all languages together, none
    assert all(np.abs(part).max(axis=1).min() > 0 for part in (shifts.vectors, shifts.tokens))


def test_languages_are_weighed() -> None:
    shifts = load_shifts(DEFAULT_MODEL, DIMENSION)
    both = shifts.token({"sq": 0.3, "sl": 0.1})
    assert np.allclose(both, 0.75 * shifts.token({"sq": 1.0}) + 0.25 * shifts.token({"sl": 1.0}), atol=1e-6)
    assert np.allclose(shifts.vector({"sq": 1.0}), 0.5 * shifts.vectors[shifts.rows["sq"]])


def test_unknown_languages_and_encoders_are_left_where_they_are() -> None:
    shifts = load_shifts(DEFAULT_MODEL, DIMENSION)
    assert not shifts.vector({"unknown": 1.0}).any() and not shifts.token({}).any()
    assert load_shifts("another encoder", 8) == load_shifts("another encoder", 8)
    assert unshifted(8).vector({"sq": 1.0}).shape == (8,) and not unshifted(8).token({"sq": 1.0}).any()
