"""Worlds for flow tests: built once, copied for each test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from gateway.demo import world
from gateway.ops import logs
from tests.flow import nodes, resting


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> world.World:
    """Two lab nodes with cards exchanged and an agreement signed."""
    root = tmp_path_factory.mktemp("world") / "template"
    return world.build(root, nodes.PROVIDER, datetime.now(UTC), world.Settings(pdf_bytes=3000, tls=False))


@pytest.fixture
def places(template: world.World, tmp_path: Path) -> world.World:
    """This test's own two places."""
    return nodes.copy_world(template, tmp_path / "w")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def a(places: world.World) -> AsyncIterator[nodes.Running]:
    """Gateway A alone; nobody answers at B's address."""
    async with nodes.running(places.a) as (node,):
        yield node


@pytest.fixture
def window(a: nodes.Running, session: aiohttp.ClientSession) -> nodes.Window:
    return nodes.Window(a, session, json.loads(a.side.platform_config.read_bytes()))


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, str]]:
    """A world in which two cases have been walked."""
    root = tmp_path_factory.mktemp("rest") / "world"
    return root, asyncio.run(resting.live(root))


@pytest.fixture
def rest(lived: tuple[Path, tuple[str, str]], tmp_path: Path) -> resting.Rest:
    """This test's own copy of it, at rest."""
    return resting.copied(*lived, tmp_path / "rest")


@pytest.fixture
def log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The gateway's real logging, into a file."""
    import structlog

    path = tmp_path / "gateway.log"
    stream = path.open("w", buffering=1)  # stays open: loggers that were used keep it
    monkeypatch.setattr("sys.stderr", stream)
    logs.setup("debug")
    monkeypatch.undo()
    yield path
    structlog.reset_defaults()
