"""Signature profiles (签名约定): exactly how one partner writes SM2 signatures, keys and ciphertexts. Never guessed.

The default is what GB/T 32918, GB/T 35276 and GM/T 0009 say. Everything else is something that implementations in the field
are known to do, so a partner that does it gets a profile that says so; whatever does not fit its profile is refused, also
when another profile would have fitted (rows S10, S11, S14-S17). ``signing.probe`` finds out which one a sample fits.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from signing import sm2
from signing.errors import Malformed
from signing.keys import public_from_spki, spki
from signing.sm2 import Encoding, PrivateKey, PublicKey, Signer, decrypt_failed
from signing.sm3 import sm3

if TYPE_CHECKING:
    from signing.providers import Provider

Text = Literal["binary", "hex", "HEX", "base64"]
PublicForm = Literal["04", "xy", "spki", "sdf"]
Order = Literal["C1C3C2", "C1C2C3", "DER"]


class SignatureProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``[…signature]`` table.

    ``signer_id``   the id in Z_A, UTF-8; means nothing where ``za`` is false
    ``form``        ``der`` SEQUENCE { r, s } (GM/T 0009) or ``raw`` r||s, 64 bytes
    ``text``        how bytes are written: ``base64``, ``hex`` (lower case), ``HEX`` (upper case), ``binary``
    ``za``          whether Z_A stands before the message (GB/T 32918.2); false is a widespread defect
    ``hash``        ``double``: the message is hashed first, and the hash signed as if it were the message (S17)
    ``public_key``  ``04`` 04||x||y, ``xy`` x||y, ``spki`` DER, ``sdf`` ECCrefPublicKey of GM/T 0018
    ``ciphertext``  order of the parts, ``C1C3C2`` (GB/T 32918.4), ``C1C2C3`` (before 2012), ``DER`` (GM/T 0009)
    ``point``       ``04`` or ``bare``: whether C1 begins with 04
    """

    signer_id: Annotated[str, msgspec.Meta(max_length=2047)] = sm2.DEFAULT_ID.decode()  # at most 8191 bytes
    form: Literal["der", "raw"] = "der"
    text: Text = "base64"
    za: bool = True
    hash: Literal["single", "double"] = "single"
    public_key: PublicForm = "04"
    ciphertext: Order = "C1C3C2"
    point: Literal["04", "bare"] = "04"


STANDARD: Final = SignatureProfile()


def read_profile(table: Mapping[str, Any]) -> SignatureProfile:
    """The profile of a TOML table; Malformed with what is wrong."""
    try:
        return msgspec.convert(table, SignatureProfile)
    except msgspec.ValidationError as error:
        raise Malformed("signature-profile", f"签名约定有误：{error}", f"bad signature profile: {error}") from None


def to_toml(profile: SignatureProfile) -> str:
    """The lines of the table that differ from the standard; all of them for the standard itself."""
    values = msgspec.structs.asdict(profile)
    usual = msgspec.structs.asdict(STANDARD)
    told = {name: value for name, value in values.items() if value != usual[name]} or values
    return "".join(f"{name} = {msgspec.json.encode(value).decode()}\n" for name, value in told.items())


# --- signatures -------------------------------------------------------------------------------------------------------


def digest(profile: SignatureProfile, public: PublicKey, message: bytes) -> bytes:
    """The 32 bytes that this profile signs."""
    body = sm3(message) if profile.hash == "double" else message
    return sm2.digest(public, body, profile.signer_id.encode()) if profile.za else sm3(body)


def sign(profile: SignatureProfile, signer: Signer, message: bytes) -> bytes:
    """The signature as the partner expects it. The signer's own id is not used: the profile's is."""
    r, s = signer.sign_digest(digest(profile, signer.public, message))
    return write(profile.text, sm2.encode(r, s, Encoding(profile.form)))


def verify(profile: SignatureProfile, provider: Provider, public: PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the signature holds in exactly this profile."""
    try:
        r, s = sm2.decode(read(profile.text, signature), Encoding(profile.form))
    except Malformed:
        return False
    return provider.verify_digest(public, digest(profile, public, message), r, s)


# --- text -------------------------------------------------------------------------------------------------------------


def _hex(upper: bool) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    digits = re.compile(rb"(?:[0-9A-F]{2})*" if upper else rb"(?:[0-9a-f]{2})*")

    def read_hex(data: bytes) -> bytes:
        if not digits.fullmatch(data):
            raise ValueError
        return bytes.fromhex(data.decode())

    return read_hex, lambda data: (data.hex().upper() if upper else data.hex()).encode()


def _read_base64(data: bytes) -> bytes:
    found = b64decode(data, validate=True)
    if b64encode(found) != data:
        raise ValueError
    return found


_TEXTS: Final[dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]]] = {
    "binary": (bytes, bytes),
    "hex": _hex(upper=False),
    "HEX": _hex(upper=True),
    "base64": (_read_base64, b64encode),
}


def read(text: Text, data: bytes) -> bytes:
    """The bytes behind a text form; Malformed for anything but the one way to write them (S10)."""
    try:
        return _TEXTS[text][0](data)
    except (ValueError, binascii.Error):
        raise Malformed("text-form", f"不是 {text} 写法", f"this is not written as {text}") from None


def write(text: Text, data: bytes) -> bytes:
    """The bytes in their text form."""
    return _TEXTS[text][1](data)


# --- public keys ------------------------------------------------------------------------------------------------------


def read_public(profile: SignatureProfile, data: bytes) -> PublicKey:
    """A public key in exactly this profile's form; Malformed otherwise, and off the curve."""
    return _PUBLICS[profile.public_key][0](read(profile.text, data))


def write_public(profile: SignatureProfile, public: PublicKey) -> bytes:
    """A public key in this profile's form."""
    return write(profile.text, _PUBLICS[profile.public_key][1](public))


def _sized(size: int) -> Callable[[bytes], PublicKey]:
    def read_point(data: bytes) -> PublicKey:
        if len(data) != size:
            raise _no_key()
        return PublicKey.from_bytes(data)

    return read_point


def _read_sdf(data: bytes) -> PublicKey:
    """ECCrefPublicKey: bits (4 bytes, little-endian), x and y right-aligned in 64 bytes each."""
    x, y = data[4:68], data[68:]
    if len(data) != 132 or data[:4] != (256).to_bytes(4, "little") or any(x[:32]) or any(y[:32]):
        raise _no_key()
    return PublicKey.from_bytes(x[32:] + y[32:])


def _write_sdf(public: PublicKey) -> bytes:
    return (256).to_bytes(4, "little") + bytes(32) + public.point[1:33] + bytes(32) + public.point[33:]


def _no_key() -> Malformed:
    return Malformed("public-key-form", "公钥不是约定的写法", "the public key is not in the agreed form")


_PUBLICS: Final[dict[str, tuple[Callable[[bytes], PublicKey], Callable[[PublicKey], bytes]]]] = {
    "04": (_sized(65), lambda public: public.point),
    "xy": (_sized(64), lambda public: public.point[1:]),
    "spki": (public_from_spki, spki),
    "sdf": (_read_sdf, _write_sdf),
}


# --- ciphertexts ------------------------------------------------------------------------------------------------------


def encrypt(profile: SignatureProfile, provider: Provider, public: PublicKey, plaintext: bytes) -> bytes:
    """The ciphertext as the partner expects it. ValueError on an empty plaintext."""
    return write(profile.text, _arranged(profile, provider.encrypt(public, plaintext)))


def decrypt(profile: SignatureProfile, provider: Provider, private: PrivateKey, data: bytes) -> bytes:
    """The plaintext; the uniform Malformed for whatever is not exactly this profile (S30)."""
    try:
        clear = read(profile.text, data)
    except Malformed:
        raise decrypt_failed() from None
    return provider.decrypt(private, _canonical(profile, clear))


def _arranged(profile: SignatureProfile, sealed: bytes) -> bytes:
    if profile.ciphertext == "DER":
        return sm2.ciphertext_to_der(sealed)
    c1, c3, c2 = sealed[:65], sealed[65:97], sealed[97:]
    first = c1 if profile.point == "04" else c1[1:]
    return first + (c3 + c2 if profile.ciphertext == "C1C3C2" else c2 + c3)


def _canonical(profile: SignatureProfile, data: bytes) -> bytes:
    """04||C1||C3||C2 of what is arranged otherwise; too short is left for the provider to refuse."""
    if profile.ciphertext == "DER":
        return sm2.ciphertext_from_der(data)
    whole = data if profile.point == "04" else b"\x04" + data
    if profile.ciphertext == "C1C2C3" and len(whole) > 97:
        whole = whole[:65] + whole[-32:] + whole[65:-32]
    return whole
