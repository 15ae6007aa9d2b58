"""The contracts every regional platform is reached through: Translator (pure, 转换) and Channel (I/O, 通道).

A *translator* turns a platform's bytes into an ``Act`` on a case (办件), and an ``Outbound`` of ours into the
platform's bytes (``Wire``). It does no I/O and knows neither clock nor key. A *channel* carries frozen ``Wire`` bytes
to the platform and says honestly what became of them: a time-out after the request has left is ``Unclear``, never
"failed". What a platform says back is a value; only bytes that fit no rule raise ``Untranslatable``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Protocol

import msgspec


class Untranslatable(Exception):
    """Foreign bytes or a canonical value that fit no rule of the profile. ``path`` is the platform's own field path."""

    def __init__(self, code: str, zh: str, en: str, path: str = "") -> None:
        super().__init__(f"{code} {path}".rstrip())
        self.code, self.zh, self.en, self.path = code, zh, en, path


class Inline(msgspec.Struct, frozen=True):
    """A document that came inside a message (SOAP, Base64). ``sm3`` is the lower-case hex digest of ``data``."""

    sm3: str
    size: int
    media_type: str
    file_name: str
    data: bytes


class Act(msgspec.Struct, frozen=True):
    """What a platform says about a case, in canonical form.

    ``type``          a key of ``schemas.canonical.BODIES``
    ``case``          the number the platform used: its own case number, or our case id
    ``id``            the sender's id of this act: a repetition has the same one (idempotency)
    ``body``          the canonical struct of ``type``
    ``local_number``  the handling platform's number for the case (业务流水号), when it named one
    ``parts``         documents that came inside the message; ``body`` names them by digest
    """

    type: str
    case: str
    id: str
    body: Any
    local_number: str = ""
    parts: tuple[Inline, ...] = ()


class Status(msgspec.Struct, frozen=True):
    """Body of an outbound of type ``receipt`` or ``status``: where the case stands, for the platform's own screen.

    ``state`` is a state of ``gateway/core/case.py``; ``text`` the Chinese sentence; ``receipt`` an opaque printable
    proof (Base64 or an id), empty when there is none.
    """

    state: str
    text: str
    at: datetime
    by: str = ""
    receipt: str = ""


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """What we tell a platform. ``id`` is the message id: the platform de-duplicates by it, and we ask by it.

    ``type`` is a key of ``schemas.canonical.BODIES`` (body: that struct) or ``receipt``/``status`` (body: ``Status``).
    """

    type: str
    id: str
    case_id: str
    case_number: str
    at_ms: int
    body: Any
    local_number: str = ""
    agreement: str = ""
    agreement_version: int = 0
    clause: str = ""
    item: str = ""
    item_name: str = ""
    from_party: str = ""
    from_name: str = ""
    status: str = ""


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """Frozen bytes for a platform; every retry sends these. The channel adds what authenticates them at each send.

    ``id`` is the outbound's; ``path`` is appended to the platform's base URL ("" for a SOAP endpoint).
    """

    id: str
    operation: str
    body: bytes
    method: str = "POST"
    path: str = ""
    content_type: str = "application/json"


# --- who calls --------------------------------------------------------------------------------------------------------


class Presented(msgspec.Struct, frozen=True):
    """A request as it stood on the wire: ``raw_path`` and ``raw_query`` not decoded, the query without its ``?``.

    ``headers`` keeps duplicates and order; ``body_digest`` is SM3 of the body's bytes as they arrived; ``body`` are the bytes
    themselves, for platforms that encrypt them.
    """

    method: str
    raw_path: str
    raw_query: str
    headers: tuple[tuple[str, str], ...]
    body_digest: bytes
    body: bytes = b""


class Signed(msgspec.Struct, frozen=True):
    """The platform ``app_id`` signed this. The caller still refuses a nonce it has seen within the window.

    ``content``: what an encrypted body held; None where the body is the message.
    """

    app_id: str
    nonce: str
    time_ms: int
    content: bytes | None = None

    def message(self, body: bytes) -> bytes:
        """What the platform said with this body."""
        return body if self.content is None else self.content


class Denied(msgspec.Struct, frozen=True):
    """Not let in. Codes: missing-signature, duplicate-header, unknown-app, bad-nonce, time-outside-window,
    bad-signature, bad-token, bad-envelope, undecryptable, wrong-credential."""

    code: str
    zh: str
    en: str


class Problem(msgspec.Struct, frozen=True):
    """A refusal for a platform that speaks no HTTP status: the fields of problem+json. ``busy``: it may try again."""

    fields: dict[str, str]
    busy: bool = False


class Chunk(msgspec.Struct, frozen=True):
    """A piece of a material: ``data`` from the offset asked for, of ``total`` bytes."""

    data: bytes
    total: int


class Interrupted(Exception):
    """A file stopped coming. What came of it stays; ``zh`` and ``en`` say why, and it may be asked for again. ``coming``: it
    was still on its way, and only we would not wait any longer."""

    def __init__(self, zh: str, en: str, *, coming: bool = False) -> None:
        super().__init__(en)
        self.zh, self.en, self.coming = zh, en, coming


class Kept(msgspec.Struct, frozen=True):
    """A file that is here whole: ``sm3`` is the lower-case hex digest of what came."""

    sm3: str
    size: int


class Attachment(msgspec.Struct, frozen=True):
    """A file of a case as its platform may fetch it: ``id`` is ours, cannot be guessed, and is good for this platform alone."""

    id: str
    sm3: str
    size: int
    file_name: str


Pieces = Callable[[int], AsyncIterator[bytes]]
"""The bytes of a file from an offset on, in pieces of any size; raises Interrupted."""


class Backend(Protocol):
    """What a gateway gives to platforms whose protocol carries everything through one door, or that do not call."""

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        """Take an act; the receipt's fields (see Translator) once it is durable."""

    async def material(self, case: str, sm3: str, offset: int, length: int) -> Chunk | Problem:
        """A piece of a material of this case, at most ``length`` bytes."""

    async def status(self, case: str) -> dict[str, str] | Problem:
        """Where a case stands: ``case_id case_number state text``."""

    async def keep(self, name: str, size: int, pieces: Pieces) -> Kept | Problem:
        """A file that we fetch, and whose digest nobody told: never whole in memory. ``name`` is its platform's for it; what
        came before a cut is continued the next time. Raises Interrupted."""

    async def attachments(self, case: str, sm3: str) -> tuple[Attachment, ...] | Problem:
        """The files of this case that have the digest; all of its files where it is empty."""


# --- what became of a send, and what a question brought ---------------------------------------------------------------


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The platform has it, now or from an earlier attempt. ``reference`` is its number for it, if it gave one."""

    reference: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The platform read it and said no. Sending the same bytes again would bring the same answer."""

    code: str
    zh: str
    en: str


class Temporary(msgspec.Struct, frozen=True, tag="temporary"):
    """Nothing happened there (no connection, 5xx, busy): the same bytes may be sent again.

    ``absent``: nobody was at the address at all, so whatever else waits for this platform need not be tried either.
    ``park``: not before a person has looked at the reason.
    """

    reason: str
    absent: bool = False
    park: bool = False


class Unclear(msgspec.Struct, frozen=True, tag="unclear"):
    """The request left and no usable answer came: ask before sending again; else it is for a person (待人工确认)."""

    reason: str


class NotThere(msgspec.Struct, frozen=True, tag="not_there"):
    """The platform says that it does not have it: the same bytes may be sent again."""


class CannotAsk(msgspec.Struct, frozen=True, tag="cannot_ask"):
    """This platform has no way to be asked: an unclear outcome stays for a person."""


Outcome = Accepted | Refused | Temporary | Unclear
Answer = Accepted | NotThere | CannotAsk | Temporary


class Translator(Protocol):
    """Pure. ``receipt`` and ``problem`` are flat string dicts, so that a profile can rename their keys.

    Receipt keys: ``case_id case_number message_id received_at receipt text text_en`` (``received_at`` RFC 3339,
    ``receipt`` Base64 of the signed receipt). Problem keys: those of problem+json (``code title title_en detail action
    trace_id clause``) and ``path``, the platform's own field path.
    """

    def inbound(self, operation: str, payload: bytes, *, case: str = "") -> Act:
        """Bytes of one foreign message to an act. ``case`` is the number in the request's path, if it has one: a body
        that names another case is refused. Raises Untranslatable or schemas.errors.Invalid."""

    def outbound(self, out: Outbound) -> Wire:
        """Our message to the platform's bytes. Raises Untranslatable when the profile has no table for ``out.type``."""

    def can_send(self, type_: str) -> bool:
        """Whether the profile has an outward table for this type; others are not told to this platform."""

    def reply_ok(self, act: Act, receipt: dict[str, str]) -> bytes:
        """The answer to an accepted act, in the platform's words."""

    def reply_refused(self, problem: dict[str, str]) -> bytes:
        """The answer to a refused message, in the platform's words."""


class Channel(Protocol):
    """I/O. Never raises for what a platform or the network does; cancellation passes through."""

    async def send(self, wire: Wire) -> Outcome:
        """One attempt."""

    async def ask(self, out_id: str) -> Answer:
        """Whether the platform has the message with this id (``Outbound.id``)."""

    async def close(self) -> None:
        """Release what this channel holds open."""


class Inbox(Protocol):
    """Where a platform's messages wait for us, for protocols in which it does not call (I/O)."""

    @property
    def pause_ms(self) -> int:
        """How long to rest when nothing waits."""

    async def poll(self, door: Callable[[bytes], Backend]) -> int:
        """Take what waits and hand its acts over; how many messages are done with. ``door`` gives the backend for a
        message of these original bytes. Never raises for what the platform or the network does."""
