"""The applicant's signature on the way in: demanded where the item list demands it, judged on both sides, kept as a file.

What is wrong is refused. What cannot be told (nothing outside the record vouches for it) is taken as the evidence that it
is: the item list has said that this means suffices. The record can be judged again at any time, from the case or its
evidence package.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agreements.match import Refusal, Route
from gateway.core import applicant_signature as core
from gateway.core.applicant_signature import Believed
from gateway.problems import Refused
from gateway.store.parts import Parts
from schemas import applicant_signature as records
from schemas.canonical import Application, Material
from schemas.errors import Invalid
from signing.errors import Rejected
from signing.providers import Provider

REFUSED = "TB-3011"


@dataclass(frozen=True)
class Signatures:
    """Judges the signatures of an application whose files are here. ``believed``: asked anew each time."""

    parts: Parts
    provider: Provider
    believed: Callable[[], Believed]
    now_ms: Callable[[], int]

    async def judge(self, owner: str, application: Application, route: Route | Refusal | None) -> Refused | None:
        """None where every signature holds or cannot be told, and one is there if the item demands it. Files are read and
        signatures checked in a thread; most applications have none and cost nothing here."""
        means = route.signatures if isinstance(route, Route) else ()
        signed = [one for one in application.materials if one.role == records.ROLE]
        if means and not signed:
            wanted = "、".join(records.KINDS[one] for one in means if one in records.KINDS)
            return Refused(REFUSED, f"此事项须附申请人签名：{wanted}")
        if not signed:
            return None
        return await asyncio.to_thread(self._all, owner, application, signed, means)

    def _all(
        self, owner: str, application: Application, signed: list[Material], means: tuple[str, ...]
    ) -> Refused | None:
        files = {one.sm3 for one in application.materials if one.role != records.ROLE}
        people = {
            one.id_number for one in (application.applicant.party, application.applicant.agent) if one is not None
        }
        believed = replace(self.believed(), means=means)
        for one in signed:
            refused = self._one(owner, one, files, people, believed)
            if refused is not None:
                return refused
        return None

    def _one(
        self, owner: str, material: Material, files: set[str], people: set[str], believed: Believed
    ) -> Refused | None:
        if material.size > records.MAX_BYTES:
            return Refused(REFUSED, f"{material.name}：签名记录过大")
        try:
            record = records.decode(b"".join(self.parts.read(owner, material.sm3)))
        except Invalid as error:
            return Refused(REFUSED, f"{material.name}：{error.zh}")
        at = datetime.fromtimestamp(self.now_ms() / 1000, UTC)
        report = core.judge(record, files, people, at=at, believed=believed, provider=self.provider)
        reason = next((one for one in report.reasons if isinstance(one, Rejected)), None)
        return None if reason is None else Refused(REFUSED, f"{material.name}：{reason.zh}")
