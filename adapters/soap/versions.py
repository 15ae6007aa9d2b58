"""SOAP 1.1 (W3C Note 2000-05-08) and SOAP 1.2 (W3C Recommendation 2007-04-27): what differs on the wire. Pure.

The media type decides the version: an envelope of the other namespace under it is a version mismatch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple


class Version(NamedTuple):
    """``role``: the attribute that names whom a header entry is for; ``roles``: its values that mean us ("" = absent)."""

    name: str
    namespace: str
    media: str
    role: str
    roles: frozenset[str]


_NS_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_NS_12: Final = "http://www.w3.org/2003/05/soap-envelope"
SOAP_11: Final = Version(
    "1.1", _NS_11, "text/xml", "actor", frozenset({"", "http://schemas.xmlsoap.org/soap/actor/next"})
)
SOAP_12: Final = Version(
    "1.2", _NS_12, "application/soap+xml", "role",
    frozenset({"", f"{_NS_12}/role/next", f"{_NS_12}/role/ultimateReceiver"}),
)  # fmt: skip
BY_NAME: Final[Mapping[str, Version]] = {one.name: one for one in (SOAP_11, SOAP_12)}
BY_NAMESPACE: Final[Mapping[str, Version]] = {one.namespace: one for one in (SOAP_11, SOAP_12)}
_PARAMETER: Final = re.compile(r';[ \t]*([A-Za-z0-9!#$&^_.+-]+)[ \t]*=[ \t]*(?:"([^"\\\r\n]*)"|([^\s;"]*))[ \t]*')


def media(content_type: str) -> tuple[str, dict[str, str]]:
    """(media type, parameters), names in lower case. A parameter that comes twice, or rubbish, gives the type ""."""
    kind, semicolon, rest = content_type.partition(";")
    rest, given, at = semicolon + rest.rstrip("; \t"), {}, 0
    while at < len(rest):
        found = _PARAMETER.match(rest, at)
        if found is None or found[1].lower() in given:
            return "", {}
        given[found[1].lower()] = found[2] if found[2] is not None else found[3]
        at = found.end()
    return kind.strip().lower(), given


def version_of(content_type: str) -> Version:
    """The version in which a request wants its answer, by its media type alone; 1.1 when nothing says otherwise."""
    kind, given = media(content_type)
    inner = given.get("start-info", "").partition(";")[0].strip().lower() if kind == "multipart/related" else kind
    return SOAP_12 if inner == SOAP_12.media else SOAP_11
