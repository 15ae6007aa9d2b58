"""Events and their signatures are those of the vectors, which plain json and hmac have written; what a profile may not say."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from adapters import samples
from adapters.base import Denied, Outbound, Presented, Untranslatable, Wire
from adapters.registry import Platform, PlatformSettings, open_platform
from adapters.webhook.channel import WebhookChannel
from schemas import codec
from tests.unit.adapters.support import PROFILES, PROVIDER, ROOT, signer

DATA = json.loads((ROOT / "tests" / "vectors" / "webhook" / "vectors.json").read_text("utf-8"))
SECRETS = {"secret": DATA["secret"].encode()}
KEY = PROVIDER.generate()


def opened(
    url: str = "https://hook.example.cn/e", change: tuple[str, str] = ("", ""), lab: bool = False, **settings: Any
) -> Platform:
    text = (PROFILES / "changsha.toml").read_text("utf-8")
    assert change[0] in text
    given = PlatformSettings(id="cs", profile="changsha", base_url=url, our_app_id=DATA["app"], **settings)
    return open_platform(
        given, text.replace(*change).encode(), {}, lambda: signer(KEY), PROVIDER, lambda: DATA["nonce"], lambda: DATA["now_ms"],
        SECRETS, lab=lab,
    )  # fmt: skip


@pytest.mark.parametrize("vector", DATA["vectors"], ids=lambda one: f"{one['type']} {one['url']}")
def test_an_event_and_its_signature_are_the_foreign_ones(vector: dict[str, Any]) -> None:
    """K03 too: characters of four bytes stand as they are."""
    out = Outbound(type=vector["type"], body=codec.build(vector["type"], vector["body"]), **vector["said"])
    platform = opened(vector["url"], ('algorithm = "SM2"', 'algorithm = "HMAC-SM3"'))
    wire = platform.translator.outbound(out)
    assert wire.body.decode() == vector["event"]
    channel = platform.channel
    assert isinstance(channel, WebhookChannel)
    assert channel._signed(wire) == vector["headers"]


def test_every_type_becomes_an_event_of_sorted_keys() -> None:
    platform = opened()
    for type_ in platform.translator.words.events:  # type: ignore[attr-defined]
        wire = platform.translator.outbound(samples.outbound(type_))
        event = json.loads(wire.body)
        assert list(event) == sorted(event) and (event["id"], event["event"]) == (wire.id, wire.operation)
        assert datetime.fromisoformat(event["at"]).utcoffset() is not None
    assert not platform.translator.can_send("certificate_query")


def test_it_only_receives() -> None:
    platform = opened()
    assert isinstance(platform.authenticate(Presented("POST", "/", "", (), bytes(32)), 0), Denied)
    assert platform.inbox is None and platform.app_of is None
    with pytest.raises(Untranslatable):
        platform.translator.inbound("case", b"{}")
    with pytest.raises(Untranslatable):
        platform.translator.outbound(Outbound(type="nothing", id="1", case_id="1", case_number="1", at_ms=0, body=None))


BAD = {
    'covered = ["content-type", "x-cs-delivery", "x-cs-event"]': 'covered = ["content-type"]',
    'delivery = "x-cs-delivery"\nevent': 'delivery = "X delivery"\nevent',
    'status = "case.status"': 'state = "case.status"',
    'step = "case.step"': 'step = "case step"',
    "repeatable = true": "again = true",
    'algorithm = "SM2"': 'scheme = "tif"\nalgorithm = "HMAC-SM3"',
}


@pytest.mark.parametrize("old", BAD)
def test_a_profile_whose_signature_or_events_cannot_be_right_is_refused(old: str) -> None:
    with pytest.raises(Untranslatable):
        opened(change=(old, BAD[old]))


@pytest.mark.parametrize(
    ("url", "settings", "code"),
    [
        ("http://hook.example.cn/", {}, "endpoint-not-tls"),
        ("https://127.0.0.1/", {}, "address-not-registered"),
        ("https://[::1]/", {"addresses": ("10.0.0.1",)}, "address-not-registered"),
        ("https://10.1.2.3/", {"addresses": ("10.1.2.0/24",)}, ""),
        ("https://10.1.2.3/", {"addresses": ("10.1.2.0/8",)}, "addresses-unreadable"),
    ],
)
def test_A17_an_endpoint_by_address_is_judged_when_opened(url: str, settings: dict[str, Any], code: str) -> None:
    """A17: private addresses only where they are registered."""
    try:
        assert opened(url, **settings) and not code
    except Untranslatable as bad:
        assert bad.code == code


async def test_an_id_that_fits_into_no_header_is_refused() -> None:
    channel = opened().channel
    outcome = await channel.send(Wire(id="a\r\nb: c", operation="case.step", body=b"{}"))
    assert type(outcome).__name__ == "Refused"
