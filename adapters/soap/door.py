"""What every SOAP door does with a request before it knows the message, and how its answers are put together. Pure.

Order: envelope, addressing, then (after the door's own check of who calls) the operation: the Body's element must be of the
service's namespace, and SOAPAction, the action of SOAP 1.2 and that of WS-Addressing must not name another one (X14).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from adapters.soap import addressing, envelope
from adapters.soap.addressing import Addressing
from adapters.soap.envelope import Envelope
from adapters.soap.fault import Fault, refuse, status
from adapters.soap.tree import local
from adapters.soap.versions import SOAP_11, Version, media, version_of
from schemas.xml import encoding_of

Tell = Callable[[Fault], Fault]


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every ``[soap]`` table says. ``schema``: the XSD of the operations; ``style``: document or rpc, always literal;
    ``qualified``: whether children carry the namespace (rpc parts never do); ``version`` and ``addressing``: of our calls.
    """

    namespace: str
    schema: str
    service: str
    style: str = "document"
    qualified: bool = True
    version: str = "1.1"
    addressing: bool = False

    def __post_init__(self) -> None:
        if self.style not in ("document", "rpc") or (self.style == "rpc" and self.qualified):
            raise ValueError("style is document, or rpc with qualified = false")
        if self.version not in ("1.1", "1.2"):
            raise ValueError("version is 1.1 or 1.2")

    def action(self, operation: str) -> str:
        """The action URI of an operation, or of its answer (``…Response``)."""
        return f"{self.namespace.rstrip('/')}/{operation}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, content type and bytes for the HTTP handler."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """How a request is answered that may not even be readable: in its own version and encoding, as far as these are told.

    Many readers know no GBK, so that who writes UTF-8 is answered in UTF-8 whatever the profile writes.
    """

    version: Version
    encoding: str


def asked(payload: bytes, content_type: str, otherwise: str) -> Asked:
    """By the outside of a request alone; ``otherwise``: the encoding where it does not tell."""
    kind, given = media(content_type)
    package = kind == "multipart/related"
    encoding = "" if package else encoding_of(payload[:256], given.get("charset", ""))
    return Asked(version_of(content_type), encoding or otherwise)


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose operation is not yet believed."""

    envelope: Envelope
    soap_action: str
    addressing: Addressing | None

    @property
    def operation(self) -> str:
        """The Body's element without its namespace."""
        return local(self.envelope.body)


def read(payload: bytes, content_type: str, soap_action: str, understood: Iterable[str], max_bytes: int) -> Call:
    """Envelope and addressing. Raises SoapRefused."""
    known = addressing.UNDERSTOOD | frozenset(understood)
    opened = envelope.parse(payload, content_type, known, max_bytes=max_bytes)
    return Call(opened, soap_action or opened.action, addressing.read(opened.header))


def check_operation(call: Call, words: Endpoint) -> None:
    """Raises SoapRefused where the Body is not of this service or an action names another operation."""
    if not str(call.envelope.body.tag).startswith(f"{{{words.namespace}}}"):
        raise refuse("operation-unknown", "没有这个操作", "no such operation")
    name = call.operation
    port = words.action(f"{words.service}PortType/{name}Request")
    for action in (call.soap_action.strip().strip('"'), call.addressing.action if call.addressing else ""):
        if action and action not in (name, words.action(name), port):
            zh = "SOAPAction 与 Body 里的操作不一致"
            raise refuse("action-mismatch", zh, "the action names another operation")


def answer(body: bytes, call: Call, words: Endpoint) -> Answer:
    """The envelope of a good answer, in the version, the encoding and with the addressing of the request."""
    version, encoding = call.envelope.version, call.envelope.encoding
    told = addressing.answering(call.addressing, words.action(f"{call.operation}Response"))
    header = envelope.written(told, encoding)
    return Answer(200, content_type(version, encoding), envelope.wrap(body, header, encoding, version))


def fault_answer(fault: Fault, asked: Asked, call: Call | None = None, tell: Tell = lambda fault: fault) -> Answer:
    """A fault as an answer, completed by ``tell``; nothing of our insides is in it."""
    told = addressing.answering(call.addressing, f"{addressing.WSA}/fault") if call is not None else []
    body = envelope.build_fault(tell(fault), asked.encoding, asked.version, told)
    return Answer(status(fault, asked.version), content_type(asked.version, asked.encoding), body)


def content_type(version: Version, encoding: str, action: str = "") -> str:
    """The media type of a message of ours; ``action`` goes into that of SOAP 1.2."""
    more = f'; action="{action}"' if action and version is not SOAP_11 else ""
    return f"{version.media}; charset={encoding}{more}"
