"""The seal doctor (印章诊断): what other readers would object to in a seal or stamp, whether or not it verifies here.

Where a signature does not hold, the wrong ways of signing that are seen in the field are tried, so that its maker can be
told which one it was (Z_A left out, another id, a digest signed in place of the bytes, the other version's bytes ...). Such
a signature is named and never accepted: nothing here is a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from signing import certs, der, oids, picture, sm2
from signing.errors import Malformed
from signing.reasons import KEY_USAGE_PADDED
from signing.seal import Seal, Stamp, parse_seal, parse_stamp
from signing.seal_shape import Finding, complaints, loosely, without_defaults
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

OURS: Final = "tongban"
CODES: Final[dict[str, tuple[str, str]]] = {
    "not-a-seal": ("读不成印章或签章：{detail}", "cannot be read as a seal or stamp: {detail}"),
    "signature-none": ("签名值不对，已知的错误签法也都不符", "the signature is wrong, in no known way"),
    "signature-empty-id": ("签名时签名者标识为空", "signed with an empty signer id"),
    "signature-no-za": ("签名时漏了 Z_A（直接对 SM3(M) 签名）", "signed without Z_A (over SM3(M) itself)"),
    "signature-of-digest": ("签的是摘要 SM3(M)，不是原文 M", "the digest SM3(M) was signed in place of M"),
    "signature-other-version": ("签名覆盖的是另一版式的内容", "the signature covers what the other version signs"),
    "signature-re-encoded": ("签名覆盖的是重新编码的内容（去掉缺省值）", "the signature covers a re-encoding (defaults left out)"),
    "signature-raw": ("签名值是裸 r‖s，不是 DER", "the signature is raw r||s, not DER"),
    "signature-loose-der": ("签名值的 DER 不规范（补零、多余字节）", "the signature's DER is loose (padding, extra bytes)"),
    "signature-swapped": ("签名值的 r、s 颠倒", "r and s are swapped"),
    "algorithm-sm2-sign": (
        "签名算法写作 1.2.156.10197.1.301.1（SM2 签名），常见写法是 501（SM2 with SM3）",
        "the signature algorithm is 301.1 (SM2 signing); usual is 501 (SM2 with SM3)",
    ),
    "algorithm-curve": ("签名算法写成了曲线标识 301", "the signature algorithm is the curve's id, 301"),
    "algorithm-other": ("签名算法不是 SM2（{detail}）", "the signature algorithm is not SM2 ({detail})"),
    "picture-type": (
        "印模声明为 {stated}，内容是 {seen}",
        "the picture is stated as {stated} and is {seen}",
    ),
    "picture-millimetres": ("印模尺寸 {detail} 毫米不合常理", "a picture of {detail} mm"),
    "picture-shape": ("印模像素的长宽比与毫米尺寸不符", "the picture's pixels have another shape than its millimetres"),
    "header-version": ("印章头版本号 {detail} 与版式不符", "the header says version {detail}, the form is another"),
    "no-certificates": ("印章的证书列表为空", "the seal's certificate list is empty"),
    "maker-in-list": ("制章人证书在印章的证书列表中", "the seal maker's certificate is in the seal's list"),
    "window-inverted": ("印章有效期止早于起", "the seal's validity ends before it begins"),
    "digest-size": ("原文摘要不是 32 字节", "the document digest does not have 32 bytes"),
    "stamp-version": ("签章版本号 {detail} 与印章版式不符", "the stamp says version {detail}, the seal has another form"),
    "time-information": ("签章时间写法不能识别", "the time of stamping is in a form that is not understood"),
    "key-usage-padded": KEY_USAGE_PADDED,
    "critical-extension": (
        "含关键扩展 {detail}，不认识的读者必须拒绝",
        "a critical extension {detail}: who does not know it has to refuse",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``kind``, ``version``: what it is, "" where it cannot be told. ``accepted``: whether our own reader takes its form."""

    kind: str
    version: str
    accepted: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature with what it should cover, and what it may have been made over by mistake."""

    what: str
    covered: bytes
    others: tuple[tuple[str, bytes], ...]
    certificate: bytes
    algorithm: der.Tlv
    signature: bytes

    @property
    def bearer(self) -> certs.Certificate | None:
        """Whose signature it is said to be, None where the certificate cannot be read."""
        try:
            return certs.parse(self.certificate)
        except Malformed:
            return None


def examine(data: bytes, provider: Provider) -> Diagnosis:
    """All objections, the bytes first, then the signatures, then the content. Never raises for its input."""
    loose = loosely(data)
    found = list(loose.findings)
    try:
        root = der.parse(loose.der, limit=len(data) + 16)
        members = root.as_seq(2, 5)
        stamp = members[0].as_seq(1)[0].tag == der.INTEGER
        new_form = len(members) > 2
        found += complaints(root, _WHERE[stamp], new_form=new_form)
        for signed in _signed(root, stamp):
            found += _certificate(signed)
            found += _algorithm(signed)
            found += _signature(signed, provider)
    except Malformed as fault:
        return Diagnosis("", "", False, (*found, _say("not-a-seal", detail=_both(fault), readers=(OURS,))))
    kind, version = ("stamp" if stamp else "seal"), ""
    try:
        parsed = parse_stamp(loose.der) if stamp else parse_seal(loose.der)
    except Malformed as fault:
        found.append(_say("not-a-seal", detail=_both(fault), readers=(OURS,)))
    else:
        version = parsed.form
        found += _content(parsed)
    return Diagnosis(kind, version, _accepted(data, stamp), tuple(found))


_WHERE: Final = {True: "签章 stamp", False: "印章 seal"}


def _accepted(data: bytes, stamp: bool) -> bool:
    try:
        parse_stamp(data) if stamp else parse_seal(data)
    except Malformed:
        return False
    return True


def _both(fault: Malformed) -> str:
    return f"{fault.zh} / {fault.en}"


def _say(code: str, where: str = "", readers: tuple[str, ...] = (), **parts: object) -> Finding:
    zh, en = CODES[code]
    return Finding(code, zh.format(**parts), en.format(**parts), where, readers)


# --- signatures -------------------------------------------------------------------------------------------------------


def _signed(root: der.Tlv, stamp: bool) -> Iterator[_Signed]:
    """The signatures in it: of a stamp first its own, then that of the seal in it."""
    if not stamp:
        yield _seal_signed(root)
        return
    tbs, *beside = root.as_seq(2)
    inside = tbs.as_seq(5)
    signer, algorithm, signature = [*tbs.as_seq(7)[5:7], *beside] if len(beside) == 1 else root.as_seq(4)[1:4]
    others = (("signature-re-encoded", without_defaults(tbs)),)
    yield _Signed(_WHERE[True], tbs.raw, others, signer.as_octets(), algorithm, _bits(signature))
    yield _seal_signed(inside[1])


def _seal_signed(root: der.Tlv) -> _Signed:
    info, *beside = root.as_seq(2)
    old = len(beside) == 1
    maker, algorithm, signature = beside[0].as_seq(3, 3) if old else root.as_seq(4)[1:4]
    with_maker = der.seq(info.raw, maker.raw, algorithm.raw)
    covered, other = (with_maker, info.raw) if old else (info.raw, with_maker)
    others = (("signature-other-version", other), ("signature-re-encoded", without_defaults(info)))
    return _Signed(_WHERE[False], covered, others, maker.as_octets(), algorithm, _bits(signature))


def _bits(element: der.Tlv) -> bytes:
    """The content of a BIT STRING, or of an OCTET STRING in its place."""
    return element.value if element.tag == der.OCTET_STRING else element.expect(der.BIT_STRING, "BIT STRING")[1:]


def _certificate(signed: _Signed) -> list[Finding]:
    try:
        root = der.parse(signed.certificate)
    except Malformed as fault:
        return [Finding("unreadable-part", fault.zh, fault.en, f"{signed.what}: 证书 certificate")]
    found = complaints(root, f"{signed.what}: 证书 certificate", new_form=False)
    found = [one for one in found if one.code not in ("unused-bits", "time-form")]  # lawful in certificates
    if signed.bearer is not None and signed.bearer.usage_padded:
        found.append(_say("key-usage-padded", f"{signed.what}: 证书 certificate"))
    return found


def _algorithm(signed: _Signed) -> list[Finding]:
    """In seals and stamps the algorithm is a bare OID; some write AlgorithmIdentifier."""
    element = signed.algorithm
    if element.tag == der.SEQUENCE:
        element = element.as_seq(1)[0]
    name = element.as_oid()
    if name == oids.SM2_WITH_SM3:
        return []
    codes = {oids.SM2_SIGN: "algorithm-sm2-sign", oids.SM2_CURVE: "algorithm-curve"}
    refused = () if name == oids.SM2_SIGN else (OURS,)
    return [_say(codes.get(name, "algorithm-other"), signed.what, refused, detail=name)]


def _signature(signed: _Signed, provider: Provider) -> list[Finding]:
    """Nothing where it holds as it should; else the first combination of wrong ways under which it holds."""
    key = signed.bearer.public_key if signed.bearer is not None else None
    if key is None:
        return []
    for way in product(_covered(signed), _digests(key), _values(signed.signature)):
        (over, message), (how, digest), (form, (r, s)) = way
        if provider.verify_digest(key, digest(message), r, s):
            return [_say(code, signed.what, (OURS,)) for code in (over, how, form) if code]
    return [_say("signature-none", signed.what, (OURS,))]


def _covered(signed: _Signed) -> list[tuple[str, bytes]]:
    found = [("", signed.covered)]
    return found + [(code, data) for code, data in signed.others if all(data != known for _, known in found)]


def _digests(key: sm2.PublicKey) -> tuple[tuple[str, Callable[[bytes], bytes]], ...]:
    """(code, message -> the 32 bytes that were signed), the right way first."""
    return (
        ("", lambda message: sm2.digest(key, message, sm2.DEFAULT_ID)),
        ("signature-empty-id", lambda message: sm2.digest(key, message, b"")),
        ("signature-no-za", sm3),
        ("signature-of-digest", lambda message: sm2.digest(key, sm3(message), sm2.DEFAULT_ID)),
    )


def _values(signature: bytes) -> list[tuple[str, tuple[int, int]]]:
    """(code, (r, s)) for every way in which these bytes can be read as a signature, the right way first."""
    found: list[tuple[str, tuple[int, int]]] = []
    try:
        found.append(("", der.decode_signature(signature)))
    except Malformed:
        found += _loose_values(signature)
    return found + [("signature-swapped", (s, r)) for _, (r, s) in found[:1]]


def _loose_values(signature: bytes) -> list[tuple[str, tuple[int, int]]]:
    if len(signature) == 64:
        return [("signature-raw", (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")))]
    try:
        first, second = der.parse(loosely(signature).der).as_seq(2, 2)
        r, s = (int.from_bytes(one.expect(der.INTEGER, "INTEGER"), "big") for one in (first, second))
        return [("signature-loose-der", (r, s))]
    except Malformed:
        return []


# --- content ----------------------------------------------------------------------------------------------------------


def _content(parsed: Seal | Stamp) -> Iterator[Finding]:
    if isinstance(parsed, Stamp):
        where = _WHERE[True]
        if len(parsed.data_hash) != 32:
            yield _say("digest-size", where)
        if parsed.form != "V1" and parsed.version != int(parsed.form[1]):
            yield _say("stamp-version", where, detail=parsed.version)
        if parsed.time is None:
            yield _say("time-information", where)
        yield from _critical(parsed, where)
        parsed = parsed.seal
    yield from _seal_content(parsed)


def _seal_content(seal: Seal) -> Iterator[Finding]:
    where, own = _WHERE[False], seal.property
    yield from _picture(seal)
    yield from _critical(seal, where)
    if seal.form != "V1" and seal.header.version != int(seal.form[1]):
        yield _say("header-version", where, detail=seal.header.version)
    if not own.certificates and not own.digests:
        yield _say("no-certificates", where)
    if seal.maker in own.certificates:
        yield _say("maker-in-list", where)
    if own.valid_until < own.valid_from:
        yield _say("window-inverted", where, (OURS,))


def _critical(signed: Seal | Stamp, where: str) -> Iterator[Finding]:
    for one in signed.extensions:
        if one.critical:
            yield _say("critical-extension", where, (OURS,), detail=one.oid)


def _picture(seal: Seal) -> Iterator[Finding]:
    """The stated type against the content, and sizes that no printer would be asked for."""
    stated, seen = seal.picture, picture.look(seal.picture.data)
    where = f"{_WHERE[False]}: 印模 picture"
    for code in seen.faults:
        zh, en = picture.FAULTS[code]
        yield Finding(code, zh, en, where)
    if seen.type and stated.type.upper().replace("JPEG", "JPG") != seen.type.upper():
        yield _say("picture-type", where, stated=stated.type[:16], seen=seen.type)
    sides = (stated.width, stated.height)
    if not all(1 <= side <= 200 for side in sides):
        yield _say("picture-millimetres", where, detail="×".join(str(side)[:12] for side in sides))
    elif seen.width and seen.height and not 0.8 < seen.width * sides[1] / (seen.height * sides[0]) < 1.25:
        yield _say("picture-shape", where)
