"""Signed requests, made and checked by the scheme of a profile (签名请求). Pure: time, nonce and keys come as arguments.

A scheme is a row of ``SCHEMES``: what adds its headers to a request, what judges a request, and what reads the app id that
headers state. Header names, order, separators, units and algorithms are the profile's data (``scheme.Scheme``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.base import Denied, Presented, Signed
from adapters.rest_signed import bearer, headers
from adapters.rest_signed.composed import canonical
from adapters.rest_signed.headers import Asked, Made
from adapters.rest_signed.keys import Keys, Signing
from adapters.rest_signed.scheme import MANDATORY, Part, Scheme, read_scheme, split_target

if TYPE_CHECKING:
    from signing.providers import Provider

__all__ = ["MANDATORY", "Part", "Scheme", "canonical", "read_scheme", "split_target"]


class Row(NamedTuple):
    """One scheme. ``tls``: its own signature leaves the body uncovered, so the way there has to be TLS."""

    make: Callable[[Scheme, Signing, Part, str, int, str, str], Made]
    check: Callable[[Scheme, Asked], Signed | Denied]
    stated: Callable[[Scheme, Iterable[tuple[str, str]]], str]
    tls: bool = False


SCHEMES: Final[dict[str, Row]] = {
    "headers": Row(headers.make, headers.check, headers.stated),
    "tif": Row(headers.make_tif, headers.check_tif, headers.stated, tls=True),
    "bearer": Row(bearer.make, bearer.check, bearer.stated),
}


def sign(scheme: Scheme, key: Signing, part: Part, *, app: str, time_ms: int, nonce: str, them: str = "") -> Made:
    """The headers to add to a request. ``app``: our id; ``them``: the id of who it goes to, for schemes that name both."""
    return [*scheme.fixed.items(), *SCHEMES[scheme.scheme].make(scheme, key, part, app, time_ms, nonce, them)]


def verify(
    scheme: Scheme, provider: Provider, shown: Presented, keys: Keys, now_ms: int, window_ms: int, us: str = ""
) -> Signed | Denied:
    """Who signed this request, or the one reason why not. Whether the nonce was used before is for the caller to know.

    ``keys``: registered app ids and what proves them; ``us``: our own id, for schemes that name whom a request is for.
    """
    found = headers.gathered(scheme, shown)
    if isinstance(found, Denied):
        return found
    return SCHEMES[scheme.scheme].check(scheme, Asked(shown, found, keys, provider, now_ms, window_ms, us))


def fits(scheme: Scheme, nonce: str) -> bool:
    """Whether a nonce has the agreed form; ours are 32 hex digits."""
    return re.fullmatch(scheme.nonce, nonce) is not None


def app_of(scheme: Scheme, shown: Iterable[tuple[str, str]]) -> str:
    """The app id that the headers state, not yet believed; "" when none or several."""
    return SCHEMES[scheme.scheme].stated(scheme, shown)
