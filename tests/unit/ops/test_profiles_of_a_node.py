"""Profiles named in a configuration: from the package, from beside it, and what is wrong with one is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.registry import PlatformSettings
from gateway import profiles
from gateway.config import ConfigError
from tests.unit.adapters.support import PROFILES, PROVIDER


def opened(base: Path, profile: str) -> Any:
    given = PlatformSettings(id="window", profile=profile, base_url="http://127.0.0.1:9")
    config: Any = SimpleNamespace(platform=(given,))
    return profiles.open_all(config, base, lambda: None, PROVIDER, str, int)["window"]  # type: ignore[arg-type,return-value]


def test_a_profile_is_found_in_the_package_and_beside_the_configuration(tmp_path: Path) -> None:
    assert opened(tmp_path, "qiaokou").profile == "qiaokou"
    (tmp_path / "own").mkdir()
    text = (PROFILES / "honggutan.toml").read_text("utf-8").replace('name = "honggutan"', 'name = "ours"')
    (tmp_path / "own" / "ours.toml").write_text(text, "utf-8")
    (tmp_path / "own" / "honggutan.xsd").write_bytes((PROFILES / "honggutan.xsd").read_bytes())
    (tmp_path / "own" / "secret.pem").write_text("secret")
    found = opened(tmp_path, "own/ours.toml")
    assert found.profile == "ours" and set(found.files) == {"profile.toml", "honggutan.xsd"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), ('family = "rest_signed"', 'family = "none"'), ('target = "purpose"', 'target = ""'), ("[signing]", "[[signing]]"),
     ('separator = "\\n"', "separator = 1")],
)  # fmt: skip
def test_a_profile_that_cannot_work_is_named_with_its_reason(old: str, new: str, tmp_path: Path) -> None:
    if old:
        text = (PROFILES / "qiaokou.toml").read_text("utf-8")
        assert old in text
        (tmp_path / "own.toml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        opened(tmp_path, "own.toml")
    assert caught.value.where == "platform.window.profile" and caught.value.zh
