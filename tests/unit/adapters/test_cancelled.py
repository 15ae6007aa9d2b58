"""A node that is told to stop stops, whatever its loops are doing in that moment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.file_drop.local import LocalFolder
from gateway import service


async def test_a_cancellation_that_comes_with_the_disks_answer_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, folder = asyncio.get_running_loop(), LocalFolder(tmp_path, ".tmp", None, 60)
    answer = loop.create_future()
    monkeypatch.setattr(loop, "run_in_executor", lambda *_: answer)
    task = asyncio.create_task(folder.names("in"))
    await asyncio.sleep(0)
    answer.set_result({"a"})
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await folder.close()


async def test_a_loop_that_did_not_hear_it_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AGAIN_S", 0.01)
    heard: list[str] = []

    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                heard.append("cancelled")
                if len(heard) == 2:
                    raise

    async def close() -> None:
        heard.append("closed")

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    node: Any = SimpleNamespace(close=close)
    await service.shut_down(node, [], [task])
    assert heard == ["cancelled", "cancelled", "closed"]
