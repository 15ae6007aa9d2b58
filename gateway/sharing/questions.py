"""What a local platform asks of certificate sharing (查询、授权、取证、验真), read strictly."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from adapters.sharing.base import Cause, HolderKey
from gateway.problems import Refused, of_reason
from schemas.codec import strict_json
from schemas.codes import CITIZEN_ID, USCC, check_citizen_id, check_uscc
from schemas.errors import Invalid
from schemas.explain import explain
from schemas.fields import Digest, IdNumber, ItemCode, Line, LongLine, Number, OptionalLine

CodeType = Annotated[str, Meta(pattern=r"^[0-9]{3}$(?!\n)", extra={"zh": "3位数字", "en": "three digits"})]
TypeCode = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z._-]+$(?!\n)")]
Identifier = Annotated[str, Meta(min_length=1, max_length=160, pattern=r"^[0-9A-Za-z._-]+$(?!\n)")]
Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$(?!\n)")]


class _Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown keys are errors."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # it is about a person


class Holder(_Question, frozen=True):
    """持证主体: 111 citizen number, 001 USCC."""

    code: IdNumber
    code_type: CodeType
    name: OptionalLine = ""

    @property
    def key(self) -> HolderKey:
        """As the port wants it."""
        return HolderKey(self.code.upper(), self.code_type, self.name)


class Why(_Question, frozen=True):
    """Who asks, for which item and case, for what and on what ground. ``basis_text``: the consent's number, or the law."""

    clerk: Line
    clerk_no: Number
    item: ItemCode
    item_name: LongLine
    case_number: Number
    purpose: LongLine
    basis: Literal["consent", "law"]
    basis_text: LongLine

    @property
    def cause(self) -> Cause:
        """As the port wants it."""
        return Cause(**{name: getattr(self, name) for name in self.__struct_fields__})


class Query(_Question, frozen=True):
    """查询: which certificates of a type a holder has."""

    why: Why
    holder: Holder
    type_code: TypeCode


class Authorise(_Question, frozen=True):
    """授权: a use code for one certificate. ``source``: where ``query`` found it; no other is asked then."""

    why: Why
    holder: Holder
    type_code: TypeCode
    identifier: Identifier
    source: Annotated[str, Meta(max_length=32)] = ""


class Fetch(_Question, frozen=True):
    """取证: the certificate of a use code, for the case and item that it was issued for."""

    use_code: Code
    clerk: Line
    clerk_no: Number
    item: ItemCode
    case_number: Number


class Verify(_Question, frozen=True):
    """验真: a file that was uploaded as a material, by its digest. ``holder``: whose it should be, if that matters."""

    why: Why
    sm3: Digest
    holder: Holder | None = None


T = TypeVar("T", Query, Authorise, Fetch, Verify)


def read(kind: type[T], body: bytes) -> T:
    """The question in a body. ``Refused`` with the path of what does not fit, never with what was sent."""
    try:
        asked = msgspec.convert(strict_json(body, max_bytes=max(len(body), 1)), kind, strict=True)
    except msgspec.ValidationError as error:
        found = explain(error, kind)
        raise Refused(of_reason(found.code), f"{found.path} {found.zh}".strip()) from None
    except Invalid as error:
        raise Refused(of_reason(error.code), f"{error.path} {error.zh}".strip()) from None
    _check_holder(getattr(asked, "holder", None))
    return asked


def _check_holder(holder: Any) -> None:
    checks = {CITIZEN_ID: check_citizen_id, USCC: check_uscc}
    if isinstance(holder, Holder) and holder.code_type in checks:
        problem = checks[holder.code_type](holder.code)
        if problem is not None:
            raise Refused(of_reason(problem.code), f"holder.code {problem.zh}")
