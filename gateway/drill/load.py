"""The load of a drill (演练负载): signed cases of people who do not exist, at a fixed rate, whatever the answers do.

Request number i is due at start + i/rate and its latency counts from then, sent or not, so a gateway that stands still
cannot hide it.
"""

from __future__ import annotations

import asyncio
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, NamedTuple

import aiohttp
import msgspec

from adapters.rest_signed import sign as scheme_of
from signing.providers import Provider
from signing.sm2 import Signer
from signing.sm3 import sm3

PATH = "/platform/v1/cases"
AT_ONCE = 256
TIMEOUT_S = 30.0
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Sample(NamedTuple):
    """One request: when it was due (s since the start), how long until its answer, and whether that was a receipt."""

    due_s: float
    latency_s: float
    good: bool


@dataclass
class Load:
    """The sample window system of a drill's world. ``taken``: ids of the cases that were receipted."""

    platform: Mapping[str, Any]
    provider: Provider
    rate: float
    samples: list[Sample] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        profile = tomllib.loads((resources.files("adapters") / "profiles" / "qiaokou.toml").read_text("utf-8"))
        self._scheme = scheme_of.read_scheme(profile["signing"])
        self._signer = Signer(self.provider, self.provider.load(int(self.platform["private_key"], 16)))

    async def run(self, over: Callable[[], bool]) -> float:
        """Send until it is over, then wait for what is under way; the seconds of sending."""
        turns, started = asyncio.Semaphore(AT_ONCE), time.perf_counter()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            asyncio.TaskGroup() as tasks,
        ):
            number = 0
            while not over():
                due = started + number / self.rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await turns.acquire()
                number += 1
                task = tasks.create_task(self._one(session, number, due, started))
                task.add_done_callback(lambda _: turns.release())
            return time.perf_counter() - started

    async def _one(self, session: aiohttp.ClientSession, number: int, due: float, started: float) -> None:
        body, good = self._case(number), False
        try:
            async with session.post(
                self.platform["gateway"] + PATH, data=body, headers=self._headers(body)
            ) as response:
                data = await response.read()
                good = response.status == 200
                if good:
                    self.taken.append(msgspec.json.decode(data)["tbbh"])
                else:
                    self.failures[f"HTTP {response.status}"] += 1
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError, KeyError) as error:
            self.failures[type(error).__name__] += 1
        self.samples.append(Sample(due - started, time.perf_counter() - due, good))

    def _headers(self, body: bytes) -> dict[str, str]:
        host = self.platform["gateway"].removeprefix("http://")
        covered = {"host": host, "content-type": "application/json"}
        part = scheme_of.Part("POST", PATH, "", covered, sm3(body))
        now_ms, nonce = time.time_ns() // 1_000_000, self.provider.random(16).hex()
        app = self.platform["app_id"]
        signed = scheme_of.sign(self._scheme, self._signer, part, app=app, time_ms=now_ms, nonce=nonce)
        return {"Content-Type": "application/json", **dict(signed)}

    def _case(self, number: int) -> bytes:
        """One application in the window's own words (``adapters/profiles/qiaokou.toml``), without files."""
        item, now = self.platform["items"][number % len(self.platform["items"])], time.strftime("%Y%m%d%H%M%S")
        filed = f"420104{now[:8]}{number:08d}"
        case = {
            "lsh": f"{filed}-SB", "bjbh": filed, "sxbm": item["code"], "sxmc": item["name"], "sxbb": item["version"],
            "blfs": "2", "bldq": f"{self.platform['handling']:0<12}",
            "sqr": {"lx": "1", "xm": "演练甲", "xb": "1", "zjlx": "01", "zjhm": _citizen(number), "sjh": "13800000000",
                    "dz": "演练路1号"},
            "bd": {"申请事由": "换钥演练，不是真实申请"}, "cl": [],
            "hy": {"ry": "演练窗口员", "gh": "K001", "ck": "3号窗口", "fs": "1", "yj": ["居民身份证"], "sj": now},
            "sjsj": now, "yt": self.platform["purpose"],
        }  # fmt: skip
        return msgspec.json.encode(case)


def _citizen(number: int) -> str:
    """A citizen number with a right check character (GB 11643), of nobody."""
    body = f"42010419{60 + number % 40:02d}0102{number % 1000:03d}"
    return body + "10X98765432"[sum(w * int(digit) for w, digit in zip(WEIGHTS, body, strict=True)) % 11]
