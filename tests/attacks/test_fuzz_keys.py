"""Whatever lies in a key folder or is brought by a CA, a custodian or a share's holder gets a verdict (rows L09-L11, S29)."""

from __future__ import annotations

import json
from functools import partial

import msgspec
import pytest

from gateway.config import ConfigError
from gateway.exchange.card import Card, CardKey
from gateway.keys import keybackup, keyregister, nextcard
from signing import custody, split
from signing.enveloped_key import open_enveloped_key
from signing.errors import Malformed
from signing.keyring import Entry, Moved, Register, State
from signing.providers import open_provider
from tests import pki
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.vectors.enveloped import generate as enveloped

PROVIDER = open_provider()
HOLDER = pki.signer("holder").private
KEY = bytes(16)
ROWS = json.loads(enveloped.FILE.read_text("utf-8"))
REGISTER = Register(1, (Entry("a" * 32, "direct", "direct.pem", (Moved(1, State.ACTIVE, ("adopted",)),)),))
ORDER = custody.write(custody.Order("420104.X", "activate", "a" * 32, "轮换", 1, 2))
SHARES = split.split(KEY, 2, 3, b"mark", PROVIDER.random)
CONTENT = msgspec.json.encode(keybackup.Content("n", 1, b"p", {"keys/direct.pem": b"x"}))
HEAD = keybackup.MAGIC + b"mark" + bytes(12)
CARD = msgspec.json.encode(
    Card(party=f"420104.{'1' * 18}", name="x", division="420104", version=1, issued_ms=1, endpoint="", body_limit=1,
         part_limit=1, origin="o", keys=(CardKey("direct", "a" * 32, b"c", 1),))
)  # fmt: skip
BACKUP = HEAD + keybackup.sm4.seal(KEY, bytes(12), CONTENT, keybackup.MAGIC + b"mark")


def register(data: bytes) -> Register:
    """The bytes inside the seal: whoever has the passphrase could have written them."""
    sealed = b'{"register":' + data + b',"mac":"' + keyregister._mac(KEY, data).encode() + b'"}'
    return keyregister.decode(sealed, KEY, "register.json")


def share(data: bytes) -> split.Share:
    return split.read(data.decode("latin-1"))


TARGETS = [
    Target("delivered key", partial(open_enveloped_key, holder=HOLDER, provider=PROVIDER),
           [bytes.fromhex(row["hex"]) for row in ROWS.values() if not row["code"]]),
    Target("share", share, [split.write(one).encode() for one in SHARES]),
    Target("order", custody.read, [ORDER, custody.sign(custody.read(ORDER)[0], pki.signer("wang"))]),
    Target("register file", partial(keyregister.decode, key=KEY, where="f"), [keyregister.encode(REGISTER, KEY)],
           (ConfigError,)),
    Target("register inside its seal", register, [msgspec.json.encode(REGISTER)], (ConfigError,)),
    Target("unsigned card", partial(nextcard.unsigned, where="f"), [CARD], (ConfigError,)),
    Target("backup", partial(keybackup.open_, shares=SHARES[:2], where="f"), [BACKUP], (ConfigError, Malformed)),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_L09_S29_fuzzed_inputs_get_a_verdict(target: Target) -> None:
    verdicts = fuzz.attack(target, fuzz.SHORT)
    assert verdicts.total() == fuzz.SHORT and len(verdicts) > 1


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_L09_S29_many_each(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        assert fuzz.attack(target, fuzz.LONG).total() == fuzz.LONG
