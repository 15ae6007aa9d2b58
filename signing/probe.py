"""Which signature profile a partner's sample fits (签名约定探测): a diagnosis on a table, never a part of verification.

Every profile is tried on the sample. Where none fits, known mistakes that no profile can express are tried on top of each:
those have to be mended by the partner. All that fit are told; more than one means that the sample does not decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

import msgspec

from signing import profiles, sm2
from signing.errors import Malformed
from signing.profiles import STANDARD, Order, PublicForm, SignatureProfile, Text
from signing.sm2 import DEFAULT_ID, GX, GY, A, B, Encoding, PrivateKey, PublicKey
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

IDS: Final = (DEFAULT_ID.decode(), "", "ALICE123@YAHOO.COM")
TEXTS: Final = get_args(Text)
ORDERS: Final = tuple(
    (order, point) for order in get_args(Order) for point in ("04", "bare") if (order, point) != ("DER", "bare")
)


class Said(NamedTuple):
    """A finding in words: what the partner does, and what to ask of it ("" where it is only another custom)."""

    zh: str
    en: str
    ask_zh: str = ""
    ask_en: str = ""


# What a value of a profile that is not the standard one means.
MEANINGS: Final[dict[tuple[str, object], Said]] = {
    ("za", False): Said(
        "对方漏算 Z_A", "the partner leaves Z_A out",
        "请对方按 GB/T 32918.2-2016 5.5 与 6.1，对 Z_A‖M 求 SM3 后签名",
        "have it sign SM3(Z_A || M), GB/T 32918.2-2016 5.5 and 6.1",
    ),
    ("hash", "double"): Said(
        "对方先对报文求 SM3，再把摘要当作报文签名", "the partner hashes the message first and signs the hash as a message",
        "请对方直接传入报文原文（多为密码机中间件重复求摘要）",
        "have it hand in the message itself (often a machine's middleware that hashes again)",
    ),
    ("form", "raw"): Said("签名为 r‖s 共 64 字节", "signatures are 64 bytes of r||s"),
    ("ciphertext", "C1C2C3"): Said(
        "密文为旧顺序 C1C2C3", "ciphertexts are in the old order C1C2C3",
        "请对方改为 C1C3C2（GB/T 32918.4-2016）", "have it write C1C3C2 (GB/T 32918.4-2016)",
    ),
    ("ciphertext", "DER"): Said("密文为 GM/T 0009 的 DER", "ciphertexts are DER as in GM/T 0009"),
    ("point", "bare"): Said(
        "密文的 C1 前缺 04", "C1 lacks its leading 04",
        "请对方在 C1 前加 04（GB/T 32918.1-2016 4.2.9）", "have it put 04 before C1 (GB/T 32918.1-2016 4.2.9)",
    ),
    ("signer_id", ""): Said(
        "对方用空的签名者标识", "the partner signs under an empty id",
        "请对方使用约定的标识（缺省 1234567812345678）", "have it use the agreed id (1234567812345678 by default)",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Defect:
    """A mistake that no profile expresses: how message, digest or numbers go wrong, and the words for it."""

    code: str
    said: Said
    message: Callable[[bytes], bytes] = bytes
    numbers: Callable[[int, int], tuple[int, int]] = lambda r, s: (r, s)
    digest: Callable[[SignatureProfile, PublicKey, bytes], bytes] = profiles.digest


def _length_in_bytes(profile: SignatureProfile, public: PublicKey, message: bytes) -> bytes:
    """Z_A with the id's length counted in bytes (S16)."""
    if not profile.za:
        return profiles.digest(profile, public, message)
    signer, curve = profile.signer_id.encode(), b"".join(number.to_bytes(32) for number in (A, B, GX, GY))
    wrong = sm3(len(signer).to_bytes(2), signer, curve, public.point[1:])
    return sm3(wrong, sm3(message) if profile.hash == "double" else message)


def _backwards(number: int) -> int:
    return int.from_bytes(number.to_bytes(32, "little"))


_BYTES = ("请对方按收到的字节签名，不增不减", "have it sign the bytes as they are sent, none added or dropped")
DEFECTS: Final = (
    Defect(
        "entl-bytes",
        Said("Z_A 中标识长度按字节计", "the id's length in Z_A is counted in bytes",
             "请对方按比特计 ENTL（GB/T 32918.2-2016 5.5）", "have it count ENTL in bits (GB/T 32918.2-2016 5.5)"),
        digest=_length_in_bytes,
    ),
    Defect(
        "numbers-swapped",
        Said("r 与 s 颠倒", "r and s are swapped", "请对方先写 r 后写 s", "have it write r before s"),
        numbers=lambda r, s: (s, r),
    ),
    Defect(
        "numbers-backwards",
        Said("r、s 为小端字节序", "r and s are little-endian", "请对方按大端写出 r、s", "have it write r and s big-endian"),
        numbers=lambda r, s: (_backwards(r), _backwards(s)),
    ),
    Defect(
        "hash-hex", Said("对方签的是摘要的小写十六进制文字", "the partner signs its hash as lower-case text", *_BYTES),
        lambda message: sm3(message).hex().encode(),
    ),
    Defect(
        "hash-HEX", Said("对方签的是摘要的大写十六进制文字", "the partner signs its hash as upper-case text", *_BYTES),
        lambda message: sm3(message).hex().upper().encode(),
    ),
    Defect(
        "no-end", Said("对方签名时去掉了末尾换行", "the partner drops the last line end", *_BYTES),
        lambda message: message.rstrip(b"\r\n"),
    ),
    Defect(
        "more-end", Said("对方签名时末尾多一个换行", "the partner adds a line end", *_BYTES),
        lambda message: message + b"\n",
    ),
    Defect(
        "crlf", Said("对方签名时把换行变成 CRLF", "the partner turns line ends into CRLF", *_BYTES),
        lambda message: message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    ),
    Defect(
        "lf", Said("对方签名时把 CRLF 变成 LF", "the partner turns CRLF into LF", *_BYTES),
        lambda message: message.replace(b"\r\n", b"\n"),
    ),
)  # fmt: skip


class Finding(NamedTuple):
    """A profile that the sample fits, with the defect it takes on top (None: fits as it is)."""

    profile: SignatureProfile
    defect: Defect | None = None

    def words(self) -> list[Said]:
        """What is not the standard about it."""
        values = msgspec.structs.asdict(self.profile)
        found = [MEANINGS[name, value] for name, value in values.items() if (name, value) in MEANINGS]
        return [*found, *([self.defect.said] if self.defect is not None else [])]


def signing_profiles(ids: Iterable[str] = IDS) -> Iterator[SignatureProfile]:
    """Every way to sign, each once: without Z_A there is no id."""
    seen = tuple(dict.fromkeys(ids))
    for form, text, hashed, (za, signer_id) in product(
        ("der", "raw"), TEXTS, ("single", "double"), [*((True, one) for one in seen), (False, STANDARD.signer_id)]
    ):
        yield msgspec.structs.replace(STANDARD, form=form, text=text, hash=hashed, za=za, signer_id=signer_id)


def cipher_profiles() -> Iterator[SignatureProfile]:
    """Every way to write a ciphertext, each once."""
    for text, (order, point) in product(TEXTS, ORDERS):
        yield msgspec.structs.replace(STANDARD, text=text, ciphertext=order, point=point)


def key_profiles() -> Iterator[SignatureProfile]:
    """Every way to write a public key."""
    for text, form in product(TEXTS, get_args(PublicForm)):
        yield msgspec.structs.replace(STANDARD, text=text, public_key=form)


def signature(
    provider: Provider, public: PublicKey, message: bytes, sample: bytes, ids: Sequence[str] = IDS
) -> list[Finding]:
    """All profiles that the sample fits; if there is none, all profiles that it fits but for one known defect."""
    every = list(signing_profiles(ids))
    found = [Finding(one) for one in every if profiles.verify(one, provider, public, message, sample)]
    if found:
        return found
    return [
        Finding(one, defect)
        for one in every
        for defect in DEFECTS
        if _fits(one, defect, provider, public, message, sample)
    ]


def ciphertext(provider: Provider, private: PrivateKey, sample: bytes) -> list[Finding]:
    """All profiles under which the sample opens."""
    return [Finding(one) for one in cipher_profiles() if _opens(one, provider, private, sample)]


def public_key(sample: bytes) -> list[tuple[SignatureProfile, PublicKey]]:
    """All profiles that read the sample as a public key, and the keys they read."""
    return [(one, found) for one in key_profiles() if (found := _public(one, sample)) is not None]


def _fits(
    profile: SignatureProfile, defect: Defect, provider: Provider, public: PublicKey, message: bytes, sample: bytes
) -> bool:
    try:
        r, s = defect.numbers(*sm2.decode(profiles.read(profile.text, sample), Encoding(profile.form)))
    except Malformed:
        return False
    return provider.verify_digest(public, defect.digest(profile, public, defect.message(message)), r, s)


def _opens(profile: SignatureProfile, provider: Provider, private: PrivateKey, sample: bytes) -> bool:
    try:
        profiles.decrypt(profile, provider, private, sample)
    except Malformed:
        return False
    return True


def _public(profile: SignatureProfile, sample: bytes) -> PublicKey | None:
    try:
        return profiles.read_public(profile, sample)
    except Malformed:
        return None
