"""Which of a node's platforms handles an item (W4), and what a configuration must not say about it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from gateway.config import Config, ConfigError, LocalPlatform, OneFormFile
from gateway.profiles import by_item, forms


def platform(id_: str, *items: str) -> LocalPlatform:
    return LocalPlatform(id=id_, profile="qiaokou", base_url="http://127.0.0.1:9", items=items)


@pytest.mark.parametrize(
    ("item", "chosen"),
    [("SB-1", "one"), ("SB-9", "wide"), ("SB-YL-9", "wider"), ("GA-1", "rest"), ("SB", "rest"), ("SB-*", "wide")],
)
def test_the_code_itself_comes_before_its_beginnings_and_those_before_the_rest(item: str, chosen: str) -> None:
    platforms = [platform("wide", "SB-*"), platform("wider", "SB-YL-*"), platform("one", "SB-1"), platform("rest")]
    guest = msgspec.structs.replace(platform("guest"), party="420112.11420112000000000A")
    assert by_item([guest, *platforms, platform("later")], "us")(item) == chosen


def test_without_a_platform_for_the_rest_a_case_has_none() -> None:
    assert by_item([platform("one", "SB-1")], "us")("GA-1") == "" == by_item([], "us")("GA-1")


def test_two_platforms_cannot_handle_one_item() -> None:
    data: dict[str, Any] = {
        "node": {"party": "420104.11420104000000000A", "name": "试验"}, "keys": {"passphrase": {"env": "X"}},
        "platform": [msgspec.to_builtins(platform(name, "SB-1")) for name in ("one", "two")],
    }  # fmt: skip
    with pytest.raises(msgspec.ValidationError, match="one platform"):
        msgspec.convert(data, Config)


FORM = """format = "tongban/one-form/1"
item = "YJ-1"
name = "一件事"
version = 1
[[part]]
item = "SX-1"
name = "甲"
version = 1
handling = "360113"
[[part]]
item = "SX-2"
name = "乙"
version = 1
handling = "360113"
"""


def test_forms_are_read_by_their_codes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(FORM, "utf-8")
    (tmp_path / "b.toml").write_text(FORM.replace("YJ-1", "YJ-2"), "utf-8")
    assert set(forms(_with("a.toml", "b.toml"), tmp_path)) == {"YJ-1", "YJ-2"}


@pytest.mark.parametrize("files", [("none.toml",), ("a.toml", "a.toml"), ("bad.toml",)])
def test_a_form_that_is_not_there_or_bad_or_twice_is_named(files: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(FORM, "utf-8")
    (tmp_path / "bad.toml").write_text("format = 1", "utf-8")
    with pytest.raises(ConfigError) as caught:
        forms(_with(*files), tmp_path)
    assert caught.value.where == files[-1]


def _with(*files: str) -> Any:
    return SimpleNamespace(one_form=tuple(OneFormFile(file=name) for name in files))
