"""What the tests of the union family start from: our tokens, opened platforms, a case in each dialect's names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp

from adapters.registry import Platform
from tests.contract.platform_support import SIMS, Sim
from tests.unit.adapters.support import open_test

OURS, THEIRS = "token-of-the-gateway-0001", "token-of-the-city-000001"
SECRETS = {"token": OURS.encode(), "their_token": THEIRS.encode()}
WINDOW = {"clerkname": "测试窗口员", "clerkno": "K001", "windowname": "3号窗口", "checktype": "1", "originals": ["居民身份证"],
          "checkdate": "2026-01-01 09:30:00"}  # fmt: skip
CASE: dict[str, Any] = {
    "rowguid": "ZZ-0001", "projectguid": "4101002026010100001", "task_id": "360113-0001", "taskname": "测试事项",
    "taskversion": "1", "applymode": "2", "belongxiaqucode": "360113000000", "applyertype": "10", "applyername": "测试甲",
    "certtype": "10", "certnum": "11010519491231002X", "contactphone": "13800000000", "address": "测试路1号",
    "formdata": {"申请事由": "测试用例"}, "applydate": "2026-01-01 09:30:00", "purpose": "测试", "windowcheck": WINDOW,
    "materiallist": [{"taskmaterialguid": "M1", "taskmaterialname": "申请书"}],
}  # fmt: skip
PROVINCE: dict[str, Any] = {
    "messageId": "NC-1", "projectNo": "3601002026010100001", "itemCode": "360113-0001", "itemName": "测试事项", "itemVersion": "1",
    "handleMode": "2", "handleAreaCode": "360113000000", "applicantType": "10", "applicantName": "测试甲",
    "applicantCertType": "10",
    "applicantCertNo": "11010519491231002X", "applicantPhone": "13800000000", "applyTime": "20260101093000", "usePurpose": "测试",
    "collectCheck": {"clerkName": "测试窗口员", "clerkNo": "K001", "windowName": "3号窗口", "checkMethod": "1",
                     "checkTime": "20260101093000"},
    "sendTime": "20260101093000000001",
}  # fmt: skip


def opened(profile: str, url: str = "http://127.0.0.1:9", **settings: Any) -> Platform:
    """A platform of this family."""
    settings = {"timeout_ms": 20_000, "connect_timeout_ms": 20_000, "secrets": SECRETS, **settings}
    return open_test(profile, url, **settings)


@contextmanager
def standing(script: str, folder: Path, **more: Any) -> Iterator[dict[str, Any]]:
    """A simulated platform for the tests of a whole module; the ports that it says it has."""
    path = folder / f"{script}.json"
    path.write_text(json.dumps({"listen": "127.0.0.1:0", "control": "127.0.0.1:0", "token": OURS, **more}), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-I", str(SIMS / script), "--config", str(path)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def fresh(ready: dict[str, Any]) -> AsyncIterator[Sim]:
    """The platform that stands, as it was in the beginning."""
    async with aiohttp.ClientSession() as session:
        found = Sim(cast(Any, None), ready, session)
        await found.post("/sim/knobs", mode="ok")
        await found.post("/sim/reset")
        yield found
