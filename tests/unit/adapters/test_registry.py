"""Opening a platform: what a bad profile, key or XSD is told, and that settings do not show secrets."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.base import Denied, Presented, Untranslatable
from adapters.registry import PlatformSettings, open_platform, read_profile
from signing.sm3 import sm3
from tests.unit.adapters.support import PROFILES, PROVIDER, XSD, open_test, signer


def opened(name: str, profile: bytes, resources: dict[str, bytes], **settings: Any) -> Any:
    given = PlatformSettings(**{"id": "x", "profile": name, "base_url": "http://127.0.0.1:9", **settings})
    return open_platform(given, profile, resources, signer, PROVIDER, lambda: "n" * 16, lambda: 0)


def toml(name: str) -> bytes:
    return (PROFILES / f"{name}.toml").read_bytes()


@pytest.mark.parametrize(
    "key", ["", "00", "zz", "04" + "11" * 64, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]
)
def test_a_platform_key_that_is_none_is_refused_when_opened(key: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        opened("qiaokou", toml("qiaokou"), {}, app_id="a", public_keys=(key,))
    assert caught.value.code == "public-key-unreadable"


@pytest.mark.parametrize(("name", "files"), [("qiaokou", {}), ("honggutan", {"honggutan.xsd": XSD})])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "city.example",
        "ftp://city.example",
        "http://",
        "http://user@h/x",
        "http://h/x#y",
        "http://h:99999/x",
        "//h/x",
    ],
)
def test_an_address_that_no_request_can_be_sent_to_is_refused_when_opened(
    name: str, files: dict[str, bytes], address: str
) -> None:
    with pytest.raises(Untranslatable) as caught:
        opened(name, toml(name), files, app_id="a", base_url=address)
    assert (caught.value.code, caught.value.path) == ("address-form", "base_url")


def test_a_soap_endpoint_may_have_a_query_and_a_rest_base_not() -> None:
    assert opened("honggutan", toml("honggutan"), {"honggutan.xsd": XSD}, base_url="https://h/x?service=a").channel
    with pytest.raises(Untranslatable):
        opened("qiaokou", toml("qiaokou"), {}, app_id="a", base_url="https://h/x?service=a")


def test_X06_an_xsd_that_includes_another_is_refused_when_opened() -> None:
    include = b'<xs:include schemaLocation="http://127.0.0.1:9/x.xsd"/>'
    for xsd in (XSD.replace(b"<!-- \xe5\x9f\xba", include + b"<!-- \xe5\x9f\xba", 1), b"<a/>", b"<!DOCTYPE a><a/>"):
        with pytest.raises(Untranslatable):
            opened("honggutan", toml("honggutan"), {"honggutan.xsd": xsd})


def test_a_missing_xsd_is_named() -> None:
    with pytest.raises(Untranslatable) as caught:
        opened("honggutan", toml("honggutan"), {})
    assert caught.value.code == "schema-missing"
    assert "honggutan.xsd" in caught.value.zh


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("qiaokou", b'ok = ["0"]', b'oks = ["0"]'), ("honggutan", b'unit = "DWBM"', b"unit = 1"),
     ("qiaokou", b'separator = "\\n"', b'separator = ""'), ("qiaokou", b'text = "hex"', b'text = "rot13"'),
     ("qiaokou", b'text = "hex"', b'text = "binary"')],
)  # fmt: skip
def test_a_defect_of_the_familys_own_tables_is_refused_when_opened(name: str, old: bytes, new: bytes) -> None:
    text = toml(name)
    assert old in text
    with pytest.raises(Untranslatable):
        opened(name, text.replace(old, new), {"honggutan.xsd": XSD})


@pytest.mark.parametrize("text", [b"\xff", b"a = [", b"", b"family = 'fax'"])
def test_a_profile_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(Untranslatable):
        read_profile(text)


def test_settings_do_not_show_what_is_secret() -> None:
    settings = PlatformSettings(id="x", profile="p", base_url="u", licence="SECRET1", our_licence="SECRET2")
    assert "SECRET" not in repr(settings) + str(settings)


def test_a_soap_platform_is_not_authenticated_by_headers() -> None:
    platform = open_test("honggutan")
    assert isinstance(platform.authenticate(Presented("POST", "/", "", (), sm3(b"")), 0), Denied)
    assert platform.app_of is None


def test_replies_use_the_platforms_own_names() -> None:
    import json

    platform = open_test("qiaokou")
    act: Any = None
    answer = json.loads(platform.translator.reply_ok(act, {"case_id": "T1", "receipt": "cmVj", "other": "x"}))
    assert answer == {"code": 0, "msg": "已收到", "tbbh": "T1", "hz": "cmVj", "other": "x"}
    assert json.loads(platform.translator.reply_refused({"code": "TB-1"})) == {"code": "TB-1"}
