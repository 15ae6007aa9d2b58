"""The demo's view from outside: both platforms' control ports, both gateways' admin pages and cards. No file is read."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from gateway.demo.ground import Place, State

TIMEOUT_S = 10.0


class Outside:
    """Asks the four processes. Errors of the connection are ``aiohttp.ClientError`` or ``TimeoutError``."""

    def __init__(self, session: aiohttp.ClientSession, state: State) -> None:
        self._session = session
        self.a, self.b = state.a, state.b

    @staticmethod
    def session() -> aiohttp.ClientSession:
        """A session for this view: loopback only, no proxy, no cookies."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        return aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    async def hand_in(self, count: int, pdf_bytes: int, item: str = "") -> list[str]:
        """Let the window hand in cases, of one item if it is named; their numbers there (办件编号)."""
        wanted = {"count": count, "pdf_bytes": pdf_bytes, "item": item}
        made: list[str] = (await self.order(f"http://{self.a.control}/sim/cases", wanted))["cases"]
        return made

    async def knobs(self, place: Place, **wanted: object) -> None:
        """Order a fault at a platform, or ``mode="ok"``."""
        async with self._session.post(f"http://{place.control}/sim/knobs", json=wanted) as answer:
            answer.raise_for_status()

    async def window(self) -> dict[str, Any]:
        """What the window system has on record."""
        return await self._json(f"http://{self.a.control}/sim/state")

    async def hall(self) -> dict[str, Any]:
        """What the handling place's platform has on record."""
        return await self._json(f"http://{self.b.control}/sim/state")

    async def window_case(self, number: str) -> dict[str, Any]:
        """All that the window holds about one case."""
        return await self._json(f"http://{self.a.control}/sim/cases/{number}")

    async def hall_case(self, case_id: str) -> dict[str, Any]:
        """All that the handling platform holds about one case."""
        return await self._json(f"http://{self.b.control}/sim/case", tbbh=case_id)

    async def document(self, digest: str) -> bytes:
        """A document that the window fetched."""
        async with self._session.get(f"http://{self.a.control}/sim/documents/{digest}") as answer:
            answer.raise_for_status()
            return await answer.read()

    async def order_permit(self) -> str:
        """Let the window have a permit issued; its identifier."""
        return str((await self.order(f"http://{self.a.control}/sim/permits"))["zzbs"])

    async def permit(self, number: str) -> bytes:
        """The file of a permit as the window fetched it."""
        async with self._session.get(f"http://{self.a.control}/sim/permits/{number}/file") as answer:
            answer.raise_for_status()
            return await answer.read()

    async def revoke_permit(self, number: str) -> None:
        """Let the window revoke it."""
        await self.order(f"http://{self.a.control}/sim/permits/{number}/revoke")

    async def scan(self, url: str) -> dict[str, Any]:
        """What the page behind a QR code says, as a program reads it."""
        async with self._session.get(url, headers={"accept": "application/json"}) as answer:
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def overview(self, place: Place) -> dict[str, Any]:
        """A gateway's own figures."""
        return await self._json(f"http://{place.admin}/admin/v1/overview")

    async def card(self, place: Place) -> bytes:
        """A gateway's published card: believed by its fingerprint, whoever brings it, so TLS need not know them yet."""
        url = f"https://{place.exchange}/.well-known/tongban/card"
        async with self._session.get(url, ssl=False) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def snapshot(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Window, hall, gateway A, gateway B, asked at once; an empty answer stands for one that does not answer."""
        asked = (self.window(), self.hall(), self.overview(self.a), self.overview(self.b))
        first, second, third, fourth = await asyncio.gather(*(_or_nothing(one) for one in asked))
        return first, second, third, fourth

    async def state(self, control: str) -> dict[str, Any]:
        """What any simulated system has on record, by its control port."""
        return await self._json(f"http://{control}/sim/state")

    async def order(self, url: str, wanted: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have a simulated system do something; what it says."""
        async with self._session.post(url, json=wanted) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found

    async def _json(self, url: str, **query: str) -> dict[str, Any]:
        async with self._session.get(url, params=query) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found


async def _or_nothing(asked: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = await asked
    except (aiohttp.ClientError, TimeoutError):
        return {}
    return found
