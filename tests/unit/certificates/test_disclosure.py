"""What of a certificate is shown under a line: its fields and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agreements.release import Release
from gateway.flow.disclosure import visible
from signing.ecert import Field
from tests.unit.store.test_issued import HOLDER, SHEET

FACE = replace(SHEET, fields=(Field("CPH", "车牌号", "鄂A00001"), Field("HZL", "核准量", "9")))


def under(*fields: str) -> Release:
    return Release("TB", 1, "第九条", fields, "fetch", "办事")


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (("CPH",), ["CPH"]),
        (("CZZT", "HZL"), ["CZZT", "HZL"]),
        (("ZZBH",), ["ZZBH"]),
        (("nothing-of-it",), []),
        (("*",), ["ZZBH", "CZZT", "CZZTDM", "CPH", "HZL"]),
    ],
)
def test_only_the_fields_of_the_line_are_visible(fields: tuple[str, ...], shown: list[str]) -> None:
    seen = visible(FACE, under(*fields))
    assert [one.name for one in seen] == shown
    assert (HOLDER in {one.value for one in seen}) is ("CZZTDM" in shown)


def test_where_nothing_limits_it_all_is_visible() -> None:
    assert visible(FACE, None) == visible(FACE, under("*"))
