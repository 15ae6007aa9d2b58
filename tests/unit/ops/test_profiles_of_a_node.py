"""Profiles named in a configuration: from the package, from beside it, and what is wrong with one is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.registry import Opening
from gateway import profiles
from gateway.config import ConfigError, LocalPlatform, Secret, parse
from tests.unit.adapters.support import PROFILES, PROVIDER


def opened(base: Path, profile: str, **settings: Any) -> Any:
    given = LocalPlatform(id="window", profile=profile, base_url="http://127.0.0.1:9", **settings)
    config: Any = SimpleNamespace(platform=(given,), national=(), node=SimpleNamespace(lab=False))
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


def test_what_a_platform_is_shown_is_read_from_where_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {}
    (tmp_path / "word").write_bytes(b"open sesame\n")
    monkeypatch.setattr(profiles, "open_platform", lambda *all_, **_: given.update(all_[-1]))
    opened(tmp_path, "qiaokou", secrets={"password": Secret(file="word")})
    assert given == {"password": b"open sesame"}
    with pytest.raises(ConfigError):
        opened(tmp_path, "qiaokou", secrets={"password": Secret(file="nowhere")})


def test_an_opening_does_not_show_what_is_secret() -> None:
    settings = LocalPlatform(id="x", profile="p", base_url="u")
    opening: Any = Opening(settings, {}, {}, None, None, str, int, {}, {"password": b"SECRET"})  # type: ignore[arg-type]
    assert "SECRET" not in repr(opening)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    bad = '[[platform]]\nid = "x"\nprofile = "p"\nbase_url = "postgresql://tongban:PASSWORD@db/front"'
    with pytest.raises(ConfigError) as caught:
        parse(bad.encode(), "node.toml")
    assert "secrets" in caught.value.en
    assert "PASSWORD" not in f"{caught.value} {caught.value.zh} {caught.value.en}"


CLEAR = [
    ("https://city.example/x", "127.0.0.1:8080", ""), ("http://127.0.0.1:9", "[::1]:8080", ""),
    ("http://city.example/x", "127.0.0.1:8080", "platform.window.base_url"),
    ("https://city.example", "0.0.0.0:8080", "listen.platform"),
    ("https://city.example", "10.1.2.3:8080", "listen.platform"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "listen", "where"), CLEAR)
def test_a_platform_whose_signature_leaves_the_body_open_goes_by_tls(
    url: str, listen: str, where: str, tmp_path: Path
) -> None:
    for profile, lab in [
        ("hubei", False),
        ("shiyan", False),
        ("xiamen_yibao", False),
        ("hubei", True),
        ("wuhan", False),
    ]:
        given = LocalPlatform(id="window", profile=profile, base_url=url)
        config: Any = SimpleNamespace(
            platform=(given,), national=(), node=SimpleNamespace(lab=lab), listen=SimpleNamespace(platform=listen)
        )
        if not where or lab or profile == "wuhan":
            profiles.check(config, tmp_path)
            continue
        with pytest.raises(ConfigError) as caught:
            profiles.check(config, tmp_path)
        assert caught.value.where == where
        with pytest.raises(ConfigError):
            profiles.open_all(config, tmp_path, lambda: None, PROVIDER, str, int)  # type: ignore[arg-type,return-value]
