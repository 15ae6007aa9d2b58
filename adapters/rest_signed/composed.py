"""The bytes that a request's signature covers (签名串): the lines of the profile, or parameters sorted and put together. Pure.

The *request lines* are the profile's ``fields`` in its order, joined by its separator. Path and query are the bytes of the
request line, neither decoded nor sorted (K04); an absent query is an empty line; a covered header is ``name:value``, and
``name`` alone when the request has none (K08). No part may hold a control character, so two different requests never make
one string (K07). Where parameters are sorted, the digest of these lines is one of them: the public families that work so
cover neither method, path nor host by themselves.
"""

from __future__ import annotations

from adapters.rest_signed.scheme import CONTROL, Part, Scheme, Sorted
from signing.sm3 import sm3


def lines(scheme: Scheme, part: Part, app: str = "", time: str = "", nonce: str = "") -> bytes | None:
    """The request lines; None when a part holds a control character."""
    covered = [f"{name}:{part.headers[name]}" if name in part.headers else name for name in scheme.covered]
    values = {
        "label": [scheme.label], "method": [part.method], "path": [part.path], "query": [part.query],
        "host": [part.headers.get("host", "").lower()], "headers": covered, "digest": [part.digest.hex()],
        "app": [app], "time": [time], "nonce": [nonce],
    }  # fmt: skip
    written = [line for field in scheme.fields for line in values[field]]
    if any(CONTROL.search(line) for line in written):
        return None
    return scheme.separator.join(written).encode("utf-8", "surrogateescape")


def canonical(scheme: Scheme, part: Part, app: str, time: str, nonce: str) -> bytes | None:
    """What is signed; None for a request that could be read in two ways."""
    said = lines(scheme, part, app, time, nonce)
    if scheme.sorted is None or said is None:
        return said
    names = scheme.sorted.parameters
    own = {names.app: app, names.time: time, names.nonce: nonce, names.request: sm3(said).hex()}
    return put_together(scheme.sorted, own, part.query)


def put_together(form: Sorted, own: dict[str, str], query: str) -> bytes | None:
    """Own and query parameters, sorted by the bytes of their names.

    None where a name comes twice (K04), has no text, or a name or value holds a separator that would move the border (K07).
    """
    pairs = list(own.items())
    if form.query and query:
        pairs += [(name, value) for name, _, value in (one.partition("=") for one in query.split("&"))]
    if len({name for name, _ in pairs}) != len(pairs) or not all(name for name, _ in pairs):
        return None
    if form.join and any(mark in name for name, _ in pairs for mark in (form.pair, form.join)):
        return None
    if form.join and any(form.join in value for _, value in pairs):
        return None
    kept = [(name.encode("utf-8", "surrogateescape"), value) for name, value in pairs if value or form.empty == "keep"]
    written = [name + (form.pair + value).encode("utf-8", "surrogateescape") for name, value in sorted(kept)]
    return form.join.encode().join(written)
