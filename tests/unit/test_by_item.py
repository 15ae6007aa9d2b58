"""Which of a node's platforms handles an item (W4), and what a configuration must not say about it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.config import Config, LocalPlatform
from gateway.profiles import by_item


def platform(id_: str, *items: str) -> LocalPlatform:
    return LocalPlatform(id=id_, profile="qiaokou", base_url="http://127.0.0.1:9", items=items)


@pytest.mark.parametrize(
    ("item", "chosen"),
    [("SB-1", "one"), ("SB-9", "wide"), ("SB-YL-9", "wider"), ("GA-1", "rest"), ("SB", "rest"), ("SB-*", "wide")],
)
def test_the_code_itself_comes_before_its_beginnings_and_those_before_the_rest(item: str, chosen: str) -> None:
    platforms = [platform("wide", "SB-*"), platform("wider", "SB-YL-*"), platform("one", "SB-1"), platform("rest")]
    assert by_item([*platforms, platform("later")])(item) == chosen


def test_without_a_platform_for_the_rest_a_case_has_none() -> None:
    assert by_item([platform("one", "SB-1")])("GA-1") == "" == by_item([])("GA-1")


def test_two_platforms_cannot_handle_one_item() -> None:
    data: dict[str, Any] = {
        "node": {"party": "420104.11420104000000000A", "name": "试验"}, "keys": {"passphrase": {"env": "X"}},
        "platform": [msgspec.to_builtins(platform(name, "SB-1")) for name in ("one", "two")],
    }  # fmt: skip
    with pytest.raises(msgspec.ValidationError, match="one platform"):
        msgspec.convert(data, Config)
