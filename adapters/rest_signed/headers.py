"""Schemes whose whole proof stands in headers: app id, time, nonce and a signature (签名请求头). Pure.

``headers`` proves the composed string by SM2 or HMAC-SM3. ``tif`` is the public x-tif family: its own signature, lower-case
hex SHA-256(time + token + nonce + time), covers neither the request nor the body, so a second header of ours carries
HMAC-SM3 under the same token over the request lines, and the way there has to be TLS.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, cast

from adapters.base import Denied, Presented, Signed
from adapters.rest_signed.composed import canonical
from adapters.rest_signed.keys import DECOYS, PROOFS, Keys, Signing, Verifying
from adapters.rest_signed.reasons import BAD, DUPLICATE, MISSING, NONCE, TIME, UNKNOWN
from adapters.rest_signed.scheme import Part, Scheme
from signing.sm3 import same

if TYPE_CHECKING:
    from signing.providers import Provider

Made = list[tuple[str, str]]


class Asked(NamedTuple):
    """A request to be judged: its headers, none of which the scheme reads twice, and by what it is judged. ``us``: our id."""

    shown: Presented
    headers: dict[str, str]
    keys: Keys
    provider: Provider
    now_ms: int
    window_ms: int
    us: str

    @property
    def part(self) -> Part:
        """What is signed beside the body."""
        shown = self.shown
        return Part(shown.method, shown.raw_path, shown.raw_query, self.headers, shown.body_digest)


class Said(NamedTuple):
    """Who, when and once, as stated in headers."""

    app: str
    time: str
    nonce: str
    time_ms: int


def gathered(scheme: Scheme, shown: Presented) -> dict[str, str] | Denied:
    """Headers by lower-case name; one that the scheme reads or covers may stand there once (K05)."""
    names = scheme.headers
    watched = {names.app, names.time, names.nonce, names.signature, names.binding, "host", *scheme.covered}
    headers: dict[str, str] = {}
    for name, value in shown.headers:
        low = name.lower()
        if low in headers and low in watched:
            return DUPLICATE
        headers[low] = value
    return headers


def said(scheme: Scheme, asked: Asked) -> Said | Denied:
    """All parts there, the nonce of the agreed form, the time within the window."""
    names = scheme.headers
    wanted = [names.app, names.time, names.nonce, names.signature, *([names.binding] if names.binding else [])]
    given = [asked.headers.get(name, "") for name in wanted]
    if not all(given):
        return MISSING
    app, time, nonce = given[:3]
    if not re.fullmatch(scheme.nonce, nonce):
        return NONCE
    time_ms = read_time(scheme.time, time)
    if time_ms is None or abs(asked.now_ms - time_ms) > asked.window_ms:
        return TIME
    return Said(app, time, nonce, time_ms)


def read_time(unit: str, written: str) -> int | None:
    """Milliseconds of 13 digits (ms) or 10 (s)."""
    digits = 13 if unit == "ms" else 10
    if not re.fullmatch(rf"[0-9]{{{digits}}}", written):
        return None
    return int(written) if unit == "ms" else int(written) * 1000


def write_time(unit: str, time_ms: int) -> str:
    """The other way round."""
    return str(time_ms if unit == "ms" else time_ms // 1000)


def _message(scheme: Scheme, part: Part, app: str, time: str, nonce: str) -> bytes:
    message = canonical(scheme, part, app, time, nonce)
    if message is None:
        raise ValueError("a part of the request holds a control character, a separator or a name twice")
    return message


def _holds(scheme: Scheme, asked: Asked, key: Verifying, message: bytes, written: str) -> bool:
    proof = PROOFS[scheme.algorithm]
    return bool(proof.holds(scheme.signature, asked.provider, key, message, written.encode("utf-8", "surrogateescape")))


# --- scheme headers ---------------------------------------------------------------------------------------------------


def make(scheme: Scheme, key: Signing, part: Part, app: str, time_ms: int, nonce: str, them: str) -> Made:
    """The headers to add to a request."""
    names, time = scheme.headers, write_time(scheme.time, time_ms)
    message = _message(scheme, part, app, time, nonce)
    written = PROOFS[scheme.algorithm].make(scheme.signature, key, message).decode("ascii")
    return [(names.app, app), (names.time, time), (names.nonce, nonce), (names.signature, written)]


def check(scheme: Scheme, asked: Asked) -> Signed | Denied:
    """The one proof under any registered key of the app id."""
    written = asked.headers.get(scheme.headers.signature, "")
    return _judged(scheme, asked, lambda key, message, _: _holds(scheme, asked, key, message, written))


def _judged(scheme: Scheme, asked: Asked, holds: Callable[[Verifying, bytes, Said], bool]) -> Signed | Denied:
    """1 all parts there, 2 nonce, 3 time, 4 proof under the registered keys of the app id.

    An unknown app id costs a check too, so that the answer's time does not tell which ids exist (J17).
    """
    found = said(scheme, asked)
    if isinstance(found, Denied):
        return found
    message = canonical(scheme, asked.part, found.app, found.time, found.nonce)
    if message is None:
        return BAD
    held = False
    for key in asked.keys.get(found.app) or (DECOYS[scheme.algorithm],):
        held |= holds(key, message, found)
    if not asked.keys.get(found.app):
        return UNKNOWN
    return Signed(found.app, found.nonce, found.time_ms) if held else BAD


# --- scheme tif -------------------------------------------------------------------------------------------------------


def tif(token: bytes, time: str, nonce: str) -> str:
    """The signature of the x-tif family. Without separators, so only the fixed width of the time and the agreed form of the
    nonce keep two pairs apart (K07)."""
    moment = time.encode()
    return hashlib.sha256(moment + token + nonce.encode() + moment).hexdigest()


def make_tif(scheme: Scheme, key: Signing, part: Part, app: str, time_ms: int, nonce: str, them: str) -> Made:
    """The family's headers, and the one that covers the request."""
    names, time = scheme.headers, write_time(scheme.time, time_ms)
    message = _message(scheme, part, app, time, nonce)
    bound = PROOFS[scheme.algorithm].make(scheme.signature, key, message).decode("ascii")
    return [
        (names.app, app), (names.time, time), (names.nonce, nonce), (names.signature, tif(cast(bytes, key), time, nonce)),
        (names.binding, bound),
    ]  # fmt: skip


def check_tif(scheme: Scheme, asked: Asked) -> Signed | Denied:
    """Both proofs under the same token."""
    family, binding = (asked.headers.get(name, "") for name in (scheme.headers.signature, scheme.headers.binding))

    def holds(key: Verifying, message: bytes, found: Said) -> bool:
        theirs = tif(cast(bytes, key), found.time, found.nonce).encode()
        return same(theirs, family.encode("utf-8", "surrogateescape")) & _holds(scheme, asked, key, message, binding)

    return _judged(scheme, asked, holds)


def stated(scheme: Scheme, headers: Iterable[tuple[str, str]]) -> str:
    """The app id that the headers state; "" when none or several."""
    found = [value for name, value in headers if name.lower() == scheme.headers.app]
    return found[0] if len(found) == 1 else ""
