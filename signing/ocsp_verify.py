"""What responses of online certificate status (OCSP, RFC 6960) say of a certificate, and whether they may say it.

A response counts only if the certificate's own issuer signed it, or one whom that issuer certified directly for this
(id-kp-OCSPSigning, and id-pkix-ocsp-nocheck, because nobody would ask about the responder itself). What names another
certificate, lacks our nonce or is out of date clears nobody: the answer is then "unknown" with the reason (row C04). A
signed "revoked" counts however old it is: revocation does not age.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signing import chains, oids, sm2
from signing.certs import Certificate
from signing.ocsp import Answer, Body, Response, Single, sha1
from signing.policy import PathPolicy
from signing.reasons import Words
from signing.revocation import SKEW, AsOf, State, decisive
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider


def look_up(
    certificate: Certificate,
    issuer: Certificate,
    answers: Sequence[Answer],
    *,
    as_of: AsOf,
    policy: PathPolicy,
    provider: Provider,
) -> State:
    """What these answers say of a certificate; ``none`` if nobody was asked about it and none speaks of it."""
    states = []
    for answer in answers:
        body = answer.response.body
        single = next((one for one in body.singles if one.id.names(certificate, issuer)), None) if body else None
        if body is not None and single is not None:
            states.append(_judge(certificate, issuer, answer, body, single, as_of, policy, provider))
        elif answer.about is not None and answer.about.der == certificate.der:
            states.append(_silent(answer.response))
    return decisive(states)


def _silent(response: Response) -> State:
    if response.body is None:
        return State("unknown", "ocsp-status", (response.status, response.status))
    return State("unknown", "ocsp-other-certificate")


def _judge(
    certificate: Certificate,
    issuer: Certificate,
    answer: Answer,
    body: Body,
    single: Single,
    as_of: AsOf,
    policy: PathPolicy,
    provider: Provider,
) -> State:
    # 1. by whom
    problem = _by_another(issuer, body, as_of, provider)
    if problem:
        return State("unknown", *problem)
    # 2. a signed revocation counts, whatever else is the matter
    if single.status == "revoked" and single.revoked is not None:
        day = f"{single.revoked:%Y-%m-%d %H:%M:%S}Z"
        return State("revoked", "revoked", (day, day), single.revoked)
    # 3. understood, 4. an answer to our question, 5. of now, 6. about a certificate that is still kept track of
    if body.flaw or single.flaw:
        return State("unknown", "ocsp-unusable", ("含不认识的关键扩展", "unknown critical extension"))
    if answer.nonce is not None and body.nonce != answer.nonce:
        missing = body.nonce is None
        if not missing or policy.ocsp_nonce == "require":
            words = ("缺少", "missing") if missing else ("不符", "another one")
            return State("unknown", "ocsp-nonce", words)
    late = _out_of_date(single, body, as_of, policy)
    if late:
        return late
    if certificate.not_after < single.this_update:
        return State("unknown", "ocsp-not-covering")
    return State("good") if single.status == "good" else State("unknown", "ocsp-unknown")


def _out_of_date(single: Single, body: Body, as_of: AsOf, policy: PathPolicy) -> State | None:
    if max(single.this_update, body.produced_at) - as_of.until > SKEW:
        return State("unknown", "ocsp-future")
    due = single.next_update
    stale = as_of.now > due if due else as_of.now - single.this_update > policy.ocsp_max_age
    day = f"{due or single.this_update:%Y-%m-%d %H:%M:%S}Z"
    return State("unknown", "ocsp-stale", (day, day)) if stale else None


def _by_another(issuer: Certificate, body: Body, as_of: AsOf, provider: Provider) -> tuple[str, Words] | None:
    """What keeps the signature from being the issuer's word."""
    if body.algorithm != oids.SM2_WITH_SM3 or not body.signature:
        return "ocsp-signature", ("没有 SM2 签名", "no SM2 signature")
    named = [one for one in (issuer, *body.certificates) if _is_responder(one, body)]
    if not named:
        return "ocsp-responder", ("未附应答者证书", "the responder's certificate is not there")
    flaws = [_may_answer(one, issuer, as_of, provider) for one in named]
    allowed = [one.public_key for one, flaw in zip(named, flaws, strict=True) if flaw is None and one.public_key]
    if not allowed:
        return "ocsp-responder", next(flaw for flaw in flaws if flaw)
    if not any(sm2.verify(provider, key, body.tbs, body.signature, signer_id=sm2.DEFAULT_ID) for key in allowed):
        return "ocsp-signature", ("签名值不对", "wrong signature")
    return None


def _is_responder(certificate: Certificate, body: Body) -> bool:
    if certificate.public_key is None:
        return False
    if not body.by_key:
        return certificate.subject_der == body.responder
    return body.responder in (sha1(certificate.public_key.point), sm3(certificate.public_key.point))


def _may_answer(responder: Certificate, issuer: Certificate, as_of: AsOf, provider: Provider) -> Words | None:
    """RFC 6960 4.2.2.2: the issuer itself, or whom it certified for this; the flaw otherwise."""
    if responder.der == issuer.der:
        return None
    unknown = set(responder.unknown_critical) - {oids.OCSP_NO_CHECK}
    rules: dict[Words, bool] = {
        ("不是由颁发者直接签发", "not certified by the issuer itself"): not chains.signed_by(
            responder, issuer, provider
        ),
        ("未获准签 OCSP 应答", "not certified to sign responses"): oids.OCSP_SIGNING not in responder.extended_usage,
        ("密钥用途不含签名", "may not sign"): responder.key_usage is not None
        and "digitalSignature" not in responder.key_usage,
        ("未注明免查吊销", "lacks nocheck"): responder.extension(oids.OCSP_NO_CHECK) is None,
        ("不在有效期内", "not within its validity"): not chains.in_force(responder, as_of.now),
        ("证书格式不合规定", "breaks a rule of form"): bool(responder.defects or unknown),
    }
    return next((words for words, broken in rules.items() if broken), None)
