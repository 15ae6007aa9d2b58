"""Online status (row C04): by whom, about whom, how old, asked by us or not; each defect with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from signing import certs, der, issue, ocsp, oids
from signing.certs import Certificate, Extension
from signing.issue import Authority
from signing.ocsp import Answer, Digest, identify
from signing.ocsp_build import Said, build_failure, build_response, wrap
from signing.policy import PathPolicy
from signing.sm2 import Signer
from tests import pki
from tests.pki import BORN, DAY, DIES
from tests.vectors.certs.chain import HOUR, REQUIRE, SIGN, Case, Row, crl

NONCE = bytes(range(16))
FRESH = DAY - HOUR
UNTIL = DAY + timedelta(days=1)


def leaf() -> Certificate:
    return pki.leaf("end")


@dataclass
class Made:
    """One response. ``by``: who signs; ``sent``: the responder's certificate, sent along."""

    by: Signer | None = None
    sent: Certificate | None = None
    digest: Digest = "sm3"
    about: Certificate | None = None
    nonce: bytes | None = NONCE
    produced_at: Any = FRESH
    said: dict[str, Any] | None = None

    def build(self) -> bytes:
        root = pki.root()
        identity = identify(self.about or leaf(), root.certificate, self.digest)
        said = Said(identity, **({"this_update": FRESH, "next_update": UNTIL} | (self.said or {})))
        return build_response(
            self.by or root.signer, [said], produced_at=self.produced_at, nonce=self.nonce, responder=self.sent
        )


def asked(
    data: Callable[[], bytes],
    nonce: bytes | None = NONCE,
    policy: PathPolicy = REQUIRE,
    judged: Callable[[], Certificate] = leaf,
    with_list: bool = False,
    **changes: Any,
) -> Callable[[], Case]:
    """A case whose leaf was asked about, and this came back."""

    def made() -> Case:
        response, certificate = data(), judged()
        return Case(
            certificate, statuses=[Answer(certificate, ocsp.parse(response), nonce)], responses=[response],
            policy=replace(policy, **changes), crls=[crl()] if with_list else [],
        )  # fmt: skip

    return made


def good(**parts: Any) -> Callable[[], bytes]:
    return lambda: Made(**parts).build()


def said(**parts: Any) -> Callable[[], bytes]:
    return lambda: Made(said=parts).build()


def responder(profile: str = "ocsp-responder", **parts: Any) -> Authority:
    return Authority(pki.signer("responder"), pki.leaf("responder", profile, **parts))


def delegated(by: Callable[[], Authority]) -> Callable[[], bytes]:
    def made() -> bytes:
        authority = by()
        return Made(by=authority.signer, sent=authority.certificate).build()

    return made


def hand_made_responder(*items: Extension) -> Authority:
    made = pki.certificate(
        subject=issue.names.encode(pki.subject("responder")), spki=issue.keys.spki(pki.signer("responder").public),
        extensions=pki.extensions(*items),
    )  # fmt: skip
    return Authority(pki.signer("responder"), made)


def not_sent() -> bytes:
    """By name, of a responder whose certificate did not come along."""
    authority = responder()
    body = bytes_of_body(delegated(responder)())
    tbs, algorithm, signature, _ = (one.raw for one in der.parse(body).as_seq(4, 4))
    assert authority.certificate.subject_der in tbs
    return wrap(der.seq(tbs, algorithm, signature))


def bytes_of_body(response: bytes) -> bytes:
    (content,) = der.parse(response).as_seq(2, 2)[1].children(1)
    return content.as_seq(2, 2)[1].as_octets()


def altered() -> bytes:
    revoked = said(revoked=BORN)()
    return revoked.replace(der.gtime(BORN), der.gtime(DIES), 1)


def resigned(algorithm: str, signature: bytes | None) -> Callable[[], bytes]:
    def made() -> bytes:
        tbs, _, kept = der.parse(bytes_of_body(good()())).as_seq(3, 3)
        bits = kept.raw if signature is None else der.bits(signature)
        return wrap(der.seq(tbs.raw, der.seq(der.oid(algorithm)), bits))

    return made


def with_extension(extension: Extension) -> bytes:
    """Signed anew, with this extension of the response beside the nonce."""
    tbs = der.parse(bytes_of_body(good()())).as_seq(3, 3)[0]
    kept = [member.raw for member in tbs.as_seq() if member.tag != 0xA1 or b"\x2b\x06\x01" not in member.raw]
    nonce = Extension(oids.OCSP_NONCE, False, der.octets(NONCE))
    fields = [*kept, der.explicit(1, pki.extensions(nonce, extension))]
    return wrap(issue.sign_structure(pki.root().signer, der.seq(*fields)))


def with_single_extension() -> bytes:
    """Signed anew, with a critical extension of what is said of the leaf."""
    responder, produced, said_of, extensions = der.parse(bytes_of_body(good()())).as_seq(3, 3)[0].as_seq(4, 4)
    inside = [member.raw for member in said_of.as_seq(1, 1)[0].as_seq()]
    single = der.seq(*inside, der.explicit(1, pki.extensions(ODD)))
    tbs = der.seq(responder.raw, produced.raw, der.seq(single), extensions.raw)
    return wrap(issue.sign_structure(pki.root().signer, tbs))


def several() -> bytes:
    """About three certificates, ours the last of them."""
    root = pki.root()
    members: Sequence[Certificate] = (pki.leaf("a"), pki.leaf("b"), leaf())
    items = [Said(identify(one, root.certificate), FRESH, UNTIL) for one in members]
    return build_response(root.signer, items, produced_at=FRESH, nonce=NONCE)


def about_nobody() -> bytes:
    return build_response(pki.root().signer, [], produced_at=FRESH, nonce=NONCE)


def of_another_issuer() -> Case:
    """The root's responder on the root's certificate of the same serial number."""
    by = pki.authority("middle")
    end, response = pki.leaf("end", by=by), Made().build()
    assert end.serial == leaf().serial
    about = Answer(end, ocsp.parse(response), NONCE)
    return Case(end, [by.certificate], statuses=[about], responses=[response], policy=REQUIRE)


def odd_responder() -> Authority:
    return hand_made_responder(SIGNING, EKU, NO_CHECK, ODD)


def twin_root() -> Authority:
    """The root's name with another key."""
    data = issue.build_root(pki.signer("x"), subject=pki.subject("root"), serial=1, not_before=BORN, not_after=DIES)
    return Authority(pki.signer("x"), certs.parse(data))


def expired_leaf() -> Certificate:
    return pki.leaf("end", not_after=FRESH - HOUR)


def of_an_expired_leaf() -> Case:
    """Judged as of a time when it lived, by a response of a time when it no longer did."""
    case = asked(good(about=expired_leaf()), judged=expired_leaf)()
    case.at, case.now = FRESH - 2 * HOUR, DAY
    return case


def authority_revoked() -> Case:
    """A leaf below an authority of which the root's responder says that it is revoked, unasked."""
    by = pki.authority("middle")
    response = Made(about=by.certificate, said={"revoked": BORN}, nonce=None).build()
    end = pki.leaf("end", by=by)
    about = Answer(by.certificate, ocsp.parse(response))
    return Case(end, [by.certificate], statuses=[about], responses=[response])


WRONG, SIGNATURE = "ocsp-responder", "ocsp-signature"
SIGNING = pki.key_usage({0})
EKU = Extension(oids.EXTENDED_KEY_USAGE, False, der.seq(der.oid(oids.OCSP_SIGNING)))
NO_CHECK = Extension(oids.OCSP_NO_CHECK, False, der.null())
ODD = Extension("1.2.3", True, b"")
OPTIONAL = {"ocsp_nonce": "optional"}
ROWS: list[Row] = [
    ("C04 good", "", asked(good())),
    ("C04 good, named with SHA-1", "", asked(good(digest="sha1"))),
    ("C04 good, by a delegated responder", "", asked(delegated(responder))),
    ("C04 good, one of several", "", asked(several)),
    ("C04 good, no nonce asked for", "", asked(good(nonce=None), nonce=None)),
    ("C04 good, no next update", "", asked(said(next_update=None))),
    ("C04 revoked", "revoked", asked(said(revoked=BORN, reason="keyCompromise"))),
    ("C04 revoked after the moment judged", "", asked(said(revoked=DAY + HOUR))),
    ("C04 revoked, and out of date", "revoked", asked(said(revoked=BORN, this_update=BORN, next_update=BORN + HOUR))),
    ("C04 revoked, though a list does not say so", "revoked", asked(said(revoked=BORN), with_list=True)),
    ("C04 ignored", "", asked(said(revoked=BORN), revocation="ignore")),
    ("C04 stale", "ocsp-stale", asked(said(this_update=BORN, next_update=FRESH))),
    ("C04 stale, no next update", "ocsp-stale", asked(said(this_update=BORN, next_update=None))),
    ("C04 stale, beside a fresh list", "", asked(said(this_update=BORN, next_update=FRESH), with_list=True)),
    ("C04 stale though not demanded", "ocsp-stale", asked(said(this_update=BORN, next_update=FRESH), policy=SIGN)),
    ("C04 from the future", "ocsp-future", asked(said(this_update=DAY + HOUR))),
    ("C04 produced in the future", "ocsp-future", asked(good(produced_at=DAY + HOUR))),
    ("C04 nonce missing", "ocsp-nonce", asked(good(nonce=None))),
    ("C04 nonce missing, allowed by policy", "", asked(good(nonce=None), **OPTIONAL)),
    ("C04 another nonce", "ocsp-nonce", asked(good(nonce=bytes(16)))),
    ("C04 another nonce, though none is demanded", "ocsp-nonce", asked(good(nonce=bytes(16)), **OPTIONAL)),
    ("C04 good for another serial", "ocsp-other-certificate", asked(lambda: Made(about=pki.leaf("other")).build())),
    ("C04 good for the serial of another issuer", "ocsp-other-certificate", of_another_issuer),
    ("C04 nobody is named", "ocsp-other-certificate", asked(about_nobody)),
    ("C04 unknown to the responder", "ocsp-unknown", asked(said(known=False))),
    ("C04 try later", "ocsp-status", asked(lambda: build_failure("tryLater"))),
    ("C04 unauthorized", "ocsp-status", asked(lambda: build_failure("unauthorized"))),
    ("C04 unsigned", SIGNATURE, asked(resigned(oids.SM2_WITH_SM3, b""))),
    ("C04 signature of zeros", SIGNATURE, asked(resigned(oids.SM2_WITH_SM3, bytes(70)))),
    ("C04 another algorithm", SIGNATURE, asked(resigned("1.2.840.10045.4.3.2", None))),
    ("C04 altered", SIGNATURE, asked(altered)),
    ("C04 signed by a stranger", WRONG, asked(good(by=pki.signer("stranger")))),
    ("C04 signed by the issuer's name and another key", SIGNATURE, asked(delegated(twin_root))),
    ("C04 responder not sent along", WRONG, asked(not_sent)),
    ("C04 responder certified by another", WRONG, asked(delegated(lambda: responder(by=pki.root("stranger"))))),
    ("C04 responder is some other holder", WRONG, asked(delegated(lambda: responder("identity")))),
    ("C04 responder without the usage", WRONG, asked(delegated(lambda: hand_made_responder(SIGNING, NO_CHECK)))),
    ("C04 responder without nocheck", WRONG, asked(delegated(lambda: hand_made_responder(SIGNING, EKU)))),
    ("C04 responder that may not sign", WRONG, asked(delegated(lambda: hand_made_responder(pki.key_usage({2}), EKU, NO_CHECK)))),
    ("C04 responder expired", WRONG, asked(delegated(lambda: responder(not_after=FRESH)))),
    ("C04 responder with an unknown critical extension", WRONG, asked(delegated(odd_responder))),
    ("C04 the leaf answers for itself", WRONG, asked(delegated(lambda: Authority(pki.signer("end"), leaf())))),
    ("C04 unknown critical extension", "ocsp-unusable", asked(lambda: with_extension(ODD))),
    ("C04 unknown critical extension of one", "ocsp-unusable", asked(with_single_extension)),
    ("C04 unknown extension, not critical", "", asked(lambda: with_extension(Extension("1.2.3", False, b"")))),
    ("C04 expired before the response", "ocsp-not-covering", of_an_expired_leaf),
    ("C04 the authority is revoked", "ca-revoked", authority_revoked),
]  # fmt: skip
