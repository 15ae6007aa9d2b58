"""A machine of its own for each test, and its provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signing.providers import open_provider
from signing.providers.sdf import Sdf
from tests.contract.sdf.machine import Double


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Double:
    return Double(tmp_path, monkeypatch)


@pytest.fixture
def opened(double: Double) -> Iterator[Callable[..., Sdf]]:
    """Opens the provider with short times; closes what was opened."""
    providers: list[Sdf] = []

    def make(**options: object) -> Sdf:
        found = open_provider(double.uri(**{"timeout_ms": 400, "rest_ms": 60, **options}))
        assert isinstance(found, Sdf)
        providers.append(found)
        return found

    yield make
    for one in providers:
        one.machine.close()
