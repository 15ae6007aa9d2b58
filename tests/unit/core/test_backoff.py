"""Back-off: grows to its cap, spreads waiters, survives any stored value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.backoff import BASE_MS, CAP_MS, delay_ms


@given(st.integers(-(10**9), 10**9), st.floats(allow_nan=False))
def test_within_its_bounds_whatever_is_stored(attempt: int, jitter: float) -> None:
    assert BASE_MS / 2 <= delay_ms(attempt, jitter) <= CAP_MS


@given(st.integers(1, 60), st.floats(0, 1))
def test_never_shorter_with_more_attempts(attempt: int, jitter: float) -> None:
    assert delay_ms(attempt, jitter) <= delay_ms(attempt + 1, jitter)


def test_doubles_from_the_base_to_the_cap() -> None:
    assert [delay_ms(n, 1.0) for n in range(1, 5)] == [500, 1000, 2000, 4000]
    assert delay_ms(100, 1.0) == CAP_MS
    assert delay_ms(3, 1.0, base=10, cap=25) == 25
    assert delay_ms(1, 0.0) == BASE_MS // 2
