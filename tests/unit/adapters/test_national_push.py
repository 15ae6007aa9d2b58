"""The profile ``national`` against rows written down by hand, one for each event of a case; and what no row can hold."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from adapters import samples
from adapters.base import Untranslatable
from adapters.national_push.translate import RowsTranslator, read_words, rows_of
from adapters.profile import compile_profile
from adapters.registry import read_profile
from gateway.core.case import Event
from tests.unit.adapters.support import PROFILES, ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "national_push" / "vectors.json").read_text("utf-8"))
PROFILE = compile_profile(read_profile((PROFILES / "national.toml").read_bytes()))
TRANSLATOR = RowsTranslator(PROFILE, read_words(PROFILE))


@pytest.mark.parametrize("event", sorted(VECTORS["rows"]))
def test_an_event_fills_these_rows(event: str) -> None:
    made = rows_of(TRANSLATOR.outbound(samples.report(event)).body)
    assert [{"table": one.table, "values": one.values} for one in made] == VECTORS["rows"][event]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=[one["name"] for one in VECTORS["refused"]])
def test_what_no_row_can_hold_is_refused(vector: dict[str, Any]) -> None:
    out = samples.report(vector["event"])
    changed = msgspec.structs.replace(out, body=msgspec.structs.replace(out.body, **vector["change"]))
    with pytest.raises(Untranslatable) as caught:
        TRANSLATOR.outbound(changed)
    assert (caught.value.code, caught.value.path) == (vector["code"], vector["path"])


def test_every_event_of_the_profile_is_one_of_the_case_machine() -> None:
    assert set(TRANSLATOR.words.events) <= set(Event) and set(VECTORS["rows"]) == set(TRANSLATOR.words.events)


def test_the_collector_is_told_nothing_else_and_says_nothing() -> None:
    assert TRANSLATOR.can_send("report") and not TRANSLATOR.can_send("application")
    with pytest.raises(Untranslatable):
        TRANSLATOR.outbound(samples.outbound("application"))
    with pytest.raises(Untranslatable):
        TRANSLATOR.inbound("x", b"{}")
