"""What a collector of case data (办件归集) is told: one event of a case that is handled here, with all that it rests on. Pure.

GB/T 39046-2020 names the data sets; which columns of which tables they fill is the profile's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from schemas.canonical import Acceptance, Application, Decision, Result, SpecialEnd, SpecialStart


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Body of an outbound of type ``report``.

    ``event``: of the case machine; ``number``: the case's number in the nation, our division and the last part of its id (32
    characters); ``day`` (yyyyMMdd, Beijing) and ``sequence`` (ten digits, without gaps) number the report; ``change``: whether the
    result is the case's first or changes one that was reported; ``unit_code``: our USCC. ``at``: when the actor says that it was
    done; ``recorded``: when the report was made, by which both sides count its day.
    """

    event: str
    number: str
    day: str
    sequence: str
    change: Literal["insert", "update"]
    unit: str
    unit_code: str
    division: str
    officer: str
    step: str
    opinion: str
    at: datetime
    recorded: datetime
    application: Application
    acceptance: Acceptance | None = None
    special: SpecialStart | None = None
    special_end: SpecialEnd | None = None
    decision: Decision | None = None
    result: Result | None = None
