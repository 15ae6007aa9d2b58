"""A dialect of certificate sharing as data: paths, field names and codes of one platform (``profiles/*.toml``), and what its
answers mean. Pure.

Where the public sources say nothing the name is still a setting, with the value that the simulated platform uses.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from adapters.base import Untranslatable
from adapters.sharing.base import OTHER, UNKNOWN, Cause, Found, Kind, No
from adapters.transport import Lost, Reply, Unsent
from schemas.codec import strict_json
from schemas.errors import Invalid

Path = Annotated[str, Meta(pattern=r"^/[!-~]*$")]
MAX_ENTRIES = 200
_CODE = re.compile(r"[A-Za-z][0-9A-Za-z_.-]{0,31}|-?[0-9]{1,8}")
MAX_TEXT = 4000


class _Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown keys are errors."""


class AnswerWords(_Words, frozen=True, kw_only=True):
    """Where an answer holds its code, its words and its data (dots lead inwards), and which codes mean what. A code that stands
    nowhere is a refusal."""

    code: str = "code"
    message: str = "message"
    data: str = "data"
    ok: tuple[str, ...] = ("0",)
    absent: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    spent: tuple[str, ...] = ()
    session: tuple[str, ...] = ()


class FoundWords(_Words, frozen=True, kw_only=True):
    """The names of an entry's fields; "" where the platform tells none."""

    identifier: str
    type_code: str
    type_name: str = ""
    number: str = ""
    holder_code: str = ""
    status: str = ""
    ticket: str = ""
    surface: str = ""
    surface_name: str = "name"
    surface_value: str = "value"


class Dialect(_Words, frozen=True, kw_only=True):
    """The TOML of a dialect. ``basis`` names the public family it rests on; ``notice`` says what it is not.

    ``cause``: under which name an element of the cause goes (our word -> theirs); ``status``: their status word -> ours;
    ``holder_types``: our code type -> theirs where it differs; ``entries`` and ``entry``: where a list and where a single
    certificate stand in the data ("" = the data itself); ``file``: where a file (Base64) stands in its answer;
    ``encrypted``: where the data holds SM2-encrypted hex.
    """

    name: str
    title: str
    family: Literal["cert_share", "relay", "license_app"]
    version: int
    basis: str
    notice: str
    paths: dict[str, Path]
    ask: dict[str, str]
    found: FoundWords
    answer: AnswerWords = AnswerWords()
    cause: dict[str, str] = {}
    entries: str = ""
    entry: str = ""
    file: str = "file"
    encrypted: str = ""
    cipher: Literal["c1c3c2", "c1c2c3"] = "c1c3c2"
    status: dict[str, str] = {}
    holder_types: dict[str, str] = {}
    cause_length: Annotated[int, Meta(ge=20)] = 200

    def elements(self, cause: Cause) -> dict[str, str]:
        """The elements of the cause under the platform's names."""
        told = {
            "clerk": cause.clerk, "clerk_no": cause.clerk_no, "item": cause.item, "item_name": cause.item_name,
            "case_number": cause.case_number, "purpose": cause.purpose, "text": self.sentence(cause),
        }  # fmt: skip
        return {name: told[word] for word, name in self.cause.items()}

    def sentence(self, cause: Cause) -> str:
        """The whole cause in one line, for a platform that takes no more; cut where the platform cuts."""
        ground = f"{'授权' if cause.basis == 'consent' else '依据'}：{cause.basis_text}"
        words = (cause.purpose, f"事项{cause.item}", f"办件{cause.case_number}", f"经办{cause.clerk_no}", ground)
        return "；".join(words)[: self.cause_length]

    def read_entry(self, value: Any) -> Found | None:
        """One entry of a list; None where it has no identifier or no type, or is no entry at all."""
        words = self.found
        identifier, type_code = text(value, words.identifier), text(value, words.type_code)
        if not identifier or not type_code:
            return None
        return Found(
            identifier, type_code, text(value, words.type_name), text(value, words.number), text(value, words.holder_code),
            self.status_of(value),
        )  # fmt: skip

    def status_of(self, value: Any) -> str:
        """Our word for an entry's status: ``unknown`` where none is told, ``other`` for one that the profile does not know."""
        said = text(value, self.found.status)
        return self.status.get(said, OTHER) if said else UNKNOWN

    def surface(self, value: Any) -> dict[str, str]:
        """The fields of the face: a list of name and value, or an object."""
        found = at(value, self.found.surface)
        if isinstance(found, dict):
            pairs = [(name, text(found, name)) for name in found]
        else:
            rows = found if isinstance(found, list) else []
            pairs = [(text(one, self.found.surface_name), text(one, self.found.surface_value)) for one in rows]
        return {name: value for name, value in pairs[:MAX_ENTRIES] if name}

    def listed(self, data: Any) -> list[Any] | No:
        """The entries of a list, capped; a single object counts as one."""
        found = at(data, self.entries) if self.entries else data
        if found is None:
            return []
        rows = found if isinstance(found, list) else [found]
        return rows if len(rows) <= MAX_ENTRIES else No("unusable", "too-many-entries")

    def single(self, data: Any) -> Any | No:
        """The one certificate that was asked for."""
        found = at(data, self.entry) if self.entry else data
        rows = found if isinstance(found, list) else [found]
        if len(rows) != 1 or not isinstance(rows[0], dict):
            return No("unusable", "not-one-certificate")
        return rows[0]


def read(reply: Reply | Unsent | Lost, words: AnswerWords) -> tuple[str, Any] | No:
    """The data of a good answer with its code; otherwise why there is none. What is not plainly one thing is unclear."""
    if isinstance(reply, Unsent):
        return No("unsent", reply.reason)
    if isinstance(reply, Lost):
        return No("unclear", reply.reason)
    if reply.status >= 500 or reply.status in (408, 425, 429):
        return No("busy", f"http-{reply.status}")
    value = _object(reply.body)
    code = text(value, words.code)
    if value is None or not code:
        known_no = 300 <= reply.status < 500
        return No("refused" if known_no else "unclear", f"http-{reply.status}" if known_no else "unreadable")
    meanings: Mapping[Kind, tuple[str, ...]] = {"absent": words.absent, "busy": words.busy, "spent": words.spent}
    for kind, codes in meanings.items():
        if code in codes:
            return No(kind, _named(code))
    if code in words.ok or code in words.session:
        return code, at(value, words.data) if words.data else value
    return No("refused", _named(code))


def _named(code: str) -> str:
    """A platform's code as it may stand in logs and records: one that does not look like a code is not repeated."""
    return f"code-{code}" if _CODE.fullmatch(code) else "code-not-shown"


def read_dialect(data: bytes) -> Dialect:
    """Parse a profile. Raises Untranslatable, naming what does not fit."""
    try:
        return msgspec.convert(tomllib.loads(data.decode()), Dialect, strict=True)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Untranslatable("profile-unreadable", f"共享方案有误：{error}", f"bad sharing profile: {error}") from None


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path, None where nothing does."""
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value if path else None


def text(value: Any, path: str) -> str:
    """A text (or whole number) at a path; "" for anything else, or one that is too long to be a field."""
    found = at(value, path)
    said = str(found) if type(found) in (str, int) else ""
    return said if len(said) <= MAX_TEXT else ""


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = strict_json(body, max_bytes=max(len(body), 1))
    except Invalid:
        return None
    return value if type(value) is dict else None
