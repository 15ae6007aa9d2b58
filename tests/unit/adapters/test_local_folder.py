"""A folder's operations in their threads: whoever is told to stop while one ends does stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.file_drop.local import LocalFolder


async def test_a_stop_at_the_moment_an_operation_ends_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a node that is told to stop would go on polling for ever."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()
    monkeypatch.setattr(loop, "run_in_executor", lambda *_: ended)
    looking = asyncio.create_task(LocalFolder(tmp_path, ".tmp", None, 60).names("x"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ended.set_result(set())
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
