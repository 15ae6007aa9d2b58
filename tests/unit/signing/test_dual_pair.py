"""Double certificates: one row per reason (rows C05, C06 and C07 of the attack catalogue)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from signing import certs, der, issue, names
from signing.certs import Certificate
from signing.dual import check_pair, may_encrypt, may_sign, refuse_recipient, same_holder
from signing.reasons import PAIR_REJECTED
from tests import pki

STRANGER = pki.root("x").certificate.subject_der
SIGN, ENCIPHER = {0, 1}, {2, 3, 4}


def holder(usage: set[int] | None, key: str, name: str = "holder", **parts: object) -> Certificate:
    items = [] if usage is None else [pki.key_usage(usage)]
    return pki.certificate(
        subject=names.encode(pki.subject(name)),
        spki=parts.pop("spki", None) or issue.keys.spki(pki.signer(key).public),
        extensions=pki.extensions(*items, *parts.pop("more", ())),
        **parts,
    )


def signing() -> Certificate:
    return holder(SIGN, "sign-key")


def encryption() -> Certificate:
    return holder(ENCIPHER, "encrypt-key")


ROWS: list[tuple[str, str, Callable[[], tuple[Certificate, Certificate]]]] = [
    ("C05 two encryption certificates", "pair-signing-usage", lambda: (holder(ENCIPHER, "other"), encryption())),
    ("C05 signing without key usage", "pair-signing-usage", lambda: (holder(None, "sign-key"), encryption())),
    ("C06 two signing certificates", "pair-encryption-usage", lambda: (signing(), holder(SIGN, "other"))),
    ("C06 encryption without key usage", "pair-encryption-usage", lambda: (signing(), holder(None, "encrypt-key"))),
    ("C06 encryption that may sign", "pair-encryption-usage", lambda: (signing(), holder({0, 2}, "encrypt-key"))),
    ("C06 both may encipher", "pair-usage-overlap", lambda: (holder({0, 2}, "sign-key"), encryption())),
    ("C06 exchanged", "pair-signing-usage", lambda: (encryption(), signing())),
    ("C07 other holder", "pair-subject", lambda: (signing(), holder(ENCIPHER, "encrypt-key", "other"))),
    ("C07 other issuer", "pair-issuer", lambda: (signing(), holder(ENCIPHER, "encrypt-key", issuer=STRANGER))),
    ("C07 one key twice", "pair-same-key", lambda: (signing(), holder(ENCIPHER, "sign-key"))),
    ("unreadable key", "pair-key-missing", lambda: (signing(), holder(ENCIPHER, "encrypt-key", spki=der.seq()))),
    ("an authority", "pair-is-ca", lambda: (holder(SIGN, "sign-key", more=(pki.constraints(True),)), encryption())),
]  # fmt: skip


@pytest.mark.parametrize(("code", "made"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_C05_C06_C07_a_wrong_pair_is_refused_with_its_reason(
    code: str, made: Callable[[], tuple[Certificate, Certificate]]
) -> None:
    reasons = check_pair(*made())
    assert code in [reason.code for reason in reasons] and all(reason.zh and reason.en for reason in reasons)


@pytest.mark.parametrize(
    ("usage", "signs", "enciphers"),
    [
        (None, True, False), (set(), False, False), ({0}, True, False), ({1}, True, False), ({2}, False, True),
        ({3}, False, True), ({4}, False, True), ({5}, False, False), ({6}, False, False), ({2, 5}, False, False),
        ({2, 6}, False, False), ({1, 4}, True, False), ({2, 3, 4, 7, 8}, False, True),
    ],
)  # fmt: skip
def test_C05_C06_what_a_usage_lets_its_holder_do(usage: set[int] | None, signs: bool, enciphers: bool) -> None:
    made = holder(usage, "k")
    assert (may_sign(made), may_encrypt(made)) == (signs, enciphers)


def named(*parts: tuple[str, str], usage: set[int] = ENCIPHER, **validity: bytes) -> Certificate:
    return pki.certificate(
        subject=names.encode(list(parts)), extensions=pki.extensions(pki.key_usage(usage)), **validity
    )  # fmt: skip


OURS = named(("O", "某局"), ("CN", "加密"))


def test_C07_one_organisation_is_one_holder() -> None:
    assert same_holder(OURS, named(("O", "某局"), ("OU", "x"), ("CN", "签名")))
    assert not same_holder(OURS, named(("O", "另局"), ("CN", "加密")))
    assert not same_holder(OURS, named(("O", "某局"), ("O", "另局")))
    assert not same_holder(named(("CN", "a")), named(("CN", "a"))), "no organisation is nobody's"


@pytest.mark.parametrize(
    ("code", "encryption", "others", "at"),
    [
        ("", OURS, [], pki.DAY),
        ("", OURS, [named(("O", "某局"), usage=SIGN)] * 2, pki.DAY),
        ("", OURS, [], pki.BORN),
        ("", OURS, [], pki.DIES),
        ("key-usage", named(("O", "某局"), usage=SIGN), [], pki.DAY),
        ("not-valid-now", OURS, [], pki.BORN - timedelta(seconds=1)),
        ("not-valid-now", OURS, [], pki.DIES + timedelta(seconds=1)),
        ("certificates-not-paired", OURS, [named(("O", "另局"), usage=SIGN)], pki.DAY),
        ("certificates-not-paired", OURS, [OURS, named(("O", "另局"), usage=SIGN)], pki.DAY),
    ],
)
def test_C06_C07_to_whom_nothing_is_encrypted(
    code: str, encryption: Certificate, others: list[Certificate], at: datetime
) -> None:
    refused = refuse_recipient(encryption, others, at)
    assert (refused.code if refused else "") == code
    assert refused is None or (refused.zh and refused.en)


def test_every_reason_has_a_row() -> None:
    assert {code for _, code, _ in ROWS} == PAIR_REJECTED.keys()


def test_a_holders_two_certificates_are_a_pair() -> None:
    assert check_pair(signing(), encryption()) == ()
    assert check_pair(pki.leaf("same", "identity"), encryption()) != ()
    other = issue.build_certificate(
        pki.root(), subject=pki.subject("same"), public_key=pki.signer("same-2").public, serial=9,
        not_before=pki.BORN, not_after=pki.DIES, profile="encryption",
    )  # fmt: skip
    assert check_pair(pki.leaf("same", "identity"), certs.parse(other)) == ()
