"""What several contract tests start from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from adapters.front_db.channel import FrontDb
from adapters.registry import Platform
from tests.contract import bouncy_castle as java
from tests.contract import front_servers, front_support
from tests.contract.platform_support import Scripted, scripted


@pytest.fixture
def as_the_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit codes as ``tongban`` sets them, and nothing taken from the environment of whoever runs the tests."""
    monkeypatch.setattr(click.exceptions.UsageError, "exit_code", 64)
    monkeypatch.delenv("TONGBAN_PASSPHRASE", raising=False)
    monkeypatch.delenv("TONGBAN_SM2_PROVIDER", raising=False)


@pytest.fixture
async def kept() -> AsyncIterator[list[Platform]]:
    """Platforms opened by a test, closed after it."""
    opened: list[Platform] = []
    yield opened
    for platform in opened:
        await platform.channel.close()


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as opened:
        yield opened


@pytest.fixture(scope="session")
def bouncy_castle() -> list[str]:
    """How BouncyCastle is asked, where it is installed."""
    return java.command()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[front_servers.Server]:
    server = front_servers.postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[front_servers.Server]:
    server = front_servers.mariadb()
    yield server
    server.stop()


@pytest.fixture(params=["postgresql", "mariadb"])
def on_server(request: pytest.FixtureRequest) -> Iterator[front_support.Place]:
    """A front database on each server, empty."""
    name = {"postgresql": "postgres_server", "mariadb": "mariadb_server"}[request.param]
    found = front_support.on_server(request.getfixturevalue(name))
    yield found
    found.store.close()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[front_support.Place]:
    """A front database of each kind, empty."""
    if request.param == "sqlite":
        found = front_support.in_file(tmp_path)
    else:
        name = {"postgresql": "postgres_server", "mariadb": "mariadb_server"}[request.param]
        found = front_support.on_server(request.getfixturevalue(name))
    yield found
    found.store.close()


@pytest.fixture
async def another(place: front_support.Place) -> AsyncIterator[Callable[..., FrontDb]]:
    """Opens the front database as the gateway does, as often as asked."""
    fronts: list[FrontDb] = []

    def open_(**settings: Any) -> FrontDb:
        fronts.append(place.front(**settings))
        return fronts[-1]

    yield open_
    for one in fronts:
        await one.close()


@pytest.fixture
def front(another: Callable[..., FrontDb]) -> FrontDb:
    return another()


@pytest.fixture
def hall(place: front_support.Place) -> front_support.front_hall.Hall:
    return place.hall()


@pytest.fixture
def desk() -> front_support.Desk:
    return front_support.Desk()
