"""10⁵ inputs at every door that reads XML of a platform (rows X, K06): an answer each, and never another exception."""

from __future__ import annotations

import json
import random
from base64 import b64decode
from typing import Any

import pytest

from adapters.base import Untranslatable
from adapters.message_set.family import open_translator
from adapters.soap import mtom
from adapters.soap.fault import SoapRefused, read_fault
from adapters.soap.service import Service
from adapters.soap.versions import media
from schemas.errors import Invalid
from schemas.validate import compile_xsd
from schemas.xml import parse_text, parse_xml
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.unit.adapters import test_message_set as objects
from tests.unit.adapters import test_package as packages
from tests.unit.adapters import test_soap_dialects as dialects
from tests.unit.adapters.support import LICENCE, RESOURCES, ROOT, UNIT, XSD, profile, soap_translator

VECTORS = json.loads((ROOT / "tests" / "vectors" / "soap" / "vectors.json").read_text("utf-8"))
GOOD = [b64decode(one["body"]) for one in VECTORS if one["expect"] == "ok"]
SERVICE = Service(soap_translator(), UNIT, LICENCE, XSD, 1 << 20)
OBJECTS = open_translator(profile("guangzhou"), RESOURCES)
SCHEMA = compile_xsd(XSD)
OUTER = media(dialects.OUTER)[1]
TEXTS = [packages.package(packages.request(name)).encode() for name in packages.TEN]


def finished(work: Any) -> Any:
    """The value of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def served(data: bytes) -> Any:
    return answered(data, "text/xml")


def with_parts(data: bytes) -> Any:
    return answered(data, dialects.OUTER)


def answered(data: bytes, content_type: str) -> None:
    """The door's answer is an envelope that can be read, whatever came; a fault is a refusal with its code."""
    answer = finished(SERVICE.serve(data, content_type, "", dialects.Gateway()))
    fault = read_fault(parse_xml(answer.body)[-1][0])
    assert b"Traceback" not in answer.body
    assert (fault is None) == (answer.status == 200)
    if fault is not None:
        raise Invalid(fault.code, fault.zh, fault.en)


def as_text(data: bytes) -> Any:
    """The package door with these characters as its document: always a package that answers."""
    text = "".join(one for one in data.decode("utf-8", "replace") if one.isprintable() or one in "\t\n")
    body = packages.envelope("ZAGL_QCFKJSFW", text)
    answer = finished(packages.SERVICE.serve(body, "text/xml", "", dialects.Gateway()))
    reply = parse_text(parse_xml(answer.body)[-1][0].findtext("return") or "")
    assert packages.TRANSLATOR.schema.valid(reply), reply
    wrong = [code for code in packages.codes(reply) if code not in ("", "0")]
    if wrong:
        raise Invalid(wrong[0], "", "")


def swapped(rng: random.Random) -> bytes:
    """Two elements of good messages change places, or one is said again: well-formed and wrong."""
    data = rng.choice(GOOD)
    pieces = data.split(b"<")
    one, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    pieces[one], pieces[other] = (pieces[other], pieces[one]) if rng.random() < 0.5 else (pieces[one], pieces[one])
    return b"<".join(pieces)


REFUSED = (Invalid, Untranslatable, SoapRefused)
TARGETS = [
    Target("XML", parse_xml, GOOD, REFUSED),
    Target("XML in a string", lambda data: parse_text(data.decode("utf-8", "replace")), TEXTS, REFUSED),
    Target("XSD explained", lambda data: len(SCHEMA.check(data)), [dialects.PLAIN.encode(), *GOOD[:4]], REFUSED),
    Target("the SOAP door", served, GOOD, REFUSED),
    Target("the SOAP door, elements changed", served, GOOD, REFUSED, make=swapped),
    Target("MTOM", lambda data: mtom.unpack(data, OUTER), [dialects.GOOD], REFUSED),
    Target("the SOAP door with parts", with_parts, [dialects.GOOD], REFUSED),
    Target("the package door", as_text, TEXTS, REFUSED),
    Target("objects", lambda data: OBJECTS.acts(data, "M1"),
           [objects.document("FinishOB", objects.DECIDED + objects.PAPER), objects.document("ApproveOB", objects.STEP)], REFUSED),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_X_fuzzed_messages_get_an_answer(target: Target) -> None:
    count = fuzz.SHORT // 4
    verdicts = fuzz.attack(target, count)
    assert verdicts.total() == count
    assert len(verdicts) > 1


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_X_many_messages_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        verdicts = fuzz.attack(target, fuzz.LONG)
    assert verdicts.total() == fuzz.LONG
