"""Time stamps asked for and given (时间戳请求与响应, RFC 3161): SM3 imprints, SM2 signatures. Clock and serial come from outside.

``answer`` is the whole of an authority; it is meant for laboratories and tests. A real one is another party's certified
service, which is asked with ``build_request`` and whose answer is read with ``parse_response``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signing import cms, der, oids
from signing.errors import Malformed
from signing.issue import Authority
from signing.signed_build import build_signed
from signing.sm3 import sm3
from signing.timestamp import MAX_BYTES, SM3_NAMES, read_imprint

LAB_POLICY: Final = "2.999.1"  # the arc for examples: no real authority has it
_BAD_ALGORITHM, _BAD_REQUEST, _BAD_POLICY, _BAD_EXTENSION = 0, 2, 15, 16


@dataclass(frozen=True, slots=True)
class Request:
    """TimeStampReq. ``policy`` empty: any."""

    algorithm: str
    digest: bytes
    policy: str
    nonce: int | None
    certificate: bool
    extended: bool


@dataclass(frozen=True, slots=True)
class Response:
    """TimeStampResp. ``token`` None: refused, with the status (2 and above) and the failures named."""

    status: int
    failures: frozenset[int]
    token: bytes | None


def build_request(digest: bytes, *, nonce: int, policy: str = "") -> bytes:
    """TimeStampReq for an SM3 digest, asking for the authority's certificate, DER. ``nonce``: 8 random bytes or more."""
    imprint = der.seq(cms.algorithm(oids.SM3), der.octets(digest))
    wanted = [der.oid(policy)] if policy else []
    return der.seq(der.integer(1), imprint, *wanted, der.integer(nonce), der.boolean(True))


def parse_request(data: bytes) -> Request:
    """From DER, at most 64 KiB; Malformed otherwise."""
    version, imprint, *rest = der.parse(data, limit=MAX_BYTES).as_seq(2)
    tags = [element.tag for element in rest]
    order = (der.OID, der.INTEGER, der.BOOLEAN, 0xA0)
    if version.as_int() != 1 or tags != [tag for tag in order if tag in tags]:
        raise cms.wrong("时间戳请求的版本或成员不符", "wrong version or members in a time-stamp request")
    optional = dict(zip(tags, rest, strict=True))
    algorithm, digest = read_imprint(imprint)
    return Request(
        algorithm=algorithm,
        digest=digest,
        policy=optional[der.OID].as_oid() if der.OID in optional else "",
        nonce=optional[der.INTEGER].as_int() if der.INTEGER in optional else None,
        certificate=der.BOOLEAN in optional and optional[der.BOOLEAN].as_bool(),
        extended=0xA0 in optional,
    )


def parse_response(data: bytes) -> Response:
    """From DER or BER, at most 64 KiB; Malformed otherwise. The token in it is not judged."""
    return cms.tolerant(data, _response, MAX_BYTES)


def _response(data: bytes) -> Response:
    status, *rest = der.parse(data, limit=MAX_BYTES).as_seq(1, 2)
    number, *said = status.as_seq(1, 3)
    failures = said[-1].as_flags() if said and said[-1].tag == der.BIT_STRING else frozenset()
    granted = number.as_int() in (0, 1)
    if granted != bool(rest):
        raise cms.wrong("时间戳响应的状态与内容不符", "the response's status and its content differ")
    return Response(number.as_int(), failures, rest[0].raw if rest else None)


def answer(
    request: bytes, authority: Authority, *, at: datetime, serial: int, policy: str = LAB_POLICY, accuracy: int = 1
) -> bytes:
    """TimeStampResp, DER: the token for ``at`` (whole seconds; ``accuracy`` in seconds), or why not. Never raises Malformed."""
    try:
        asked = parse_request(request)
    except Malformed:
        return refusal(_BAD_REQUEST)
    if asked.algorithm not in SM3_NAMES or len(asked.digest) != 32:
        return refusal(_BAD_ALGORITHM)
    if asked.policy not in ("", policy):
        return refusal(_BAD_POLICY)
    if asked.extended:
        return refusal(_BAD_EXTENSION)
    token = build_token(
        asked.digest, authority, at=at, serial=serial, policy=policy, accuracy=accuracy, nonce=asked.nonce
    )
    return der.seq(der.seq(der.integer(0)), token)


def refusal(failure: int) -> bytes:
    """TimeStampResp with status rejection and this failure."""
    return der.seq(der.seq(der.integer(2), der.flags([failure])))


def build_token(
    digest: bytes,
    authority: Authority,
    *,
    at: datetime,
    serial: int,
    policy: str = LAB_POLICY,
    accuracy: int = 1,
    nonce: int | None = None,
    algorithm: str = oids.SM3,
) -> bytes:
    """TimeStampToken, DER. What a good authority never does can be done with it too: it is the tests' forger."""
    info = der.seq(
        der.integer(1),
        der.oid(policy),
        der.seq(cms.algorithm(algorithm), der.octets(digest)),
        der.integer(serial),
        der.gtime(at),
        *([der.seq(der.integer(accuracy))] if accuracy else []),
        *([der.integer(nonce)] if nonce is not None else []),
    )
    reference = der.seq(der.seq(cms.algorithm(oids.SM3), der.octets(sm3(authority.certificate.der))))
    return build_signed(
        info,
        [authority],
        signing_time=at,
        family=cms.PKCS7,
        content_type=oids.TST_INFO,
        more={oids.SIGNING_CERTIFICATE_V2: der.seq(reference)},
    )
