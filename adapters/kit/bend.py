"""Messages spoilt in one way each (改坏的报文): what a platform must refuse, or at least survive. Pure.

They are bent in the finished request, where an envelope may stand around them, or before they are signed, so that only the
message is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

Spoil = Callable[[bytes], bytes]


def is_json(content_type: str) -> bool:
    """Whether a body of this media type is JSON; else it is taken for XML."""
    return "json" in content_type


def _in_object(body: bytes, more: bytes) -> bytes:
    """After the opening brace."""
    at = body.index(b"{") + 1
    return body[:at] + more + body[at:]


def _in_element(body: bytes, more: bytes) -> bytes:
    """As the last child of the message's own element: inside the Body, where an envelope stands around it."""
    closes = max(body.rfind(b":Body>"), body.rfind(b"</Body>"))
    end = body.rfind(b"</", 0, body.rfind(b"</", 0, closes + 1)) if closes > 0 else body.rfind(b"</")
    return body[:end] + more + body[end:]


JSON: Final[Mapping[str, Spoil]] = {
    "unknown_field": lambda body: _in_object(body, b'"kitUnknownField":"1",'),
    "wrong_encoding": lambda body: _in_object(body, b'"kitWrongBytes":"\xff\xfe\xc0",'),
    "cut_off": lambda body: body[: len(body) // 2],
}
XML: Final[Mapping[str, Spoil]] = {
    "unknown_field": lambda body: _in_element(body, b"<kitUnknownField>1</kitUnknownField>"),
    "wrong_encoding": lambda body: _in_element(body, b"<kitWrongBytes>\xff\xff\xc0</kitWrongBytes>"),
    "cut_off": lambda body: body[: len(body) // 2],
}


def padded(size: int) -> tuple[Spoil, Spoil]:
    """The same for JSON and for XML: the message with so many bytes of white space more."""
    return (lambda body: _in_object(body, b" " * size)), (lambda body: _in_element(body, b" " * size))
