"""WS-Addressing 1.0 (W3C 2006-05-09) and its submission of 2004-08: read where a caller sends it, written where a profile
asks for it. Pure.

Answers go back on the same connection and nowhere else: a ReplyTo or FaultTo with an address of its own is refused, for it
would have us call an address out of a message. An Action that names another operation than the Body is refused (X14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapters.soap.fault import refuse

WSA: Final = "http://www.w3.org/2005/08/addressing"
_OLD: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ANONYMOUS: Final = {WSA: f"{WSA}/anonymous", _OLD: f"{_OLD}/role/anonymous"}
_NAMES: Final = ("Action", "To", "MessageID", "ReplyTo", "FaultTo", "From", "RelatesTo")
UNDERSTOOD: Final = frozenset(f"{{{namespace}}}{name}" for namespace in ANONYMOUS for name in _NAMES)
_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Addressing:
    """What a message says of itself; "" for what it leaves out."""

    namespace: str
    action: str
    message_id: str
    relates_to: str


def read(header: Mapping[str, etree._Element]) -> Addressing | None:
    """The addressing of a message; None when it has none. Raises SoapRefused."""
    used = [namespace for namespace in ANONYMOUS if any(name.startswith(f"{{{namespace}}}") for name in header)]
    if not used:
        return None
    if len(used) > 1:
        raise refuse("soap-addressing", "混用了两种 WS-Addressing", "two kinds of WS-Addressing in one message")
    space = used[0]
    for name in ("ReplyTo", "FaultTo"):
        entry = header.get(f"{{{space}}}{name}")
        if entry is not None and (entry.findtext(f"{{{space}}}Address") or "").strip() != ANONYMOUS[space]:
            zh = f"{name} 只接受匿名地址（在同一连接上答复）"
            raise refuse("soap-addressing", zh, f"{name} must be anonymous: answers go back on the connection")
    told = [_text(header.get(f"{{{space}}}{name}")) for name in ("Action", "MessageID", "RelatesTo")]
    return Addressing(space, *told)


def _text(entry: etree._Element | None) -> str:
    text = (entry.text or "").strip() if entry is not None else ""
    if len(text) > _MAX or not text.isprintable():
        raise refuse("soap-addressing", "WS-Addressing 的值过长或有误", "a WS-Addressing value is too long or bad")
    return text


def answering(to: Addressing | None, action: str) -> list[etree._Element]:
    """Header entries of the answer to a message with this addressing: none if it had none."""
    if to is None:
        return []
    made = [_entry(to.namespace, "Action", action)]
    return [*made, _entry(to.namespace, "RelatesTo", to.message_id)] if to.message_id else made


def asking(url: str, action: str, message_id: str) -> list[etree._Element]:
    """Header entries of a request of ours."""
    reply = etree.Element(f"{{{WSA}}}ReplyTo", nsmap={"wsa": WSA})
    etree.SubElement(reply, f"{{{WSA}}}Address").text = ANONYMOUS[WSA]
    told = (("Action", action), ("To", url), ("MessageID", message_id))
    return [*(_entry(WSA, name, text) for name, text in told), reply]


def _entry(namespace: str, name: str, text: str) -> etree._Element:
    made = etree.Element(f"{{{namespace}}}{name}", nsmap={"wsa": namespace})
    made.text = text
    return made
