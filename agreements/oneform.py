"""One form for several items (一张表单): what they ask for, asked once, and taken apart again into an application of each. Pure.

``OneForm`` is a TOML file of the collecting place::

    format = "tongban/one-form/1"
    item = "YJ-0001"                        # the code under which it is handed in
    name = "新生儿一件事"
    version = 1

    [[part]]
    item = "360113-0002"
    name = "新生儿入户"
    version = 1
    handling = "360113"
    fields = { "新生儿姓名" = "姓名" }        # the part's own field = the form's
    materials = ["出生医学证明"]

A field or a material that several parts name is filled in or brought once. Nothing that is handed in is dropped silently:
what no part asks for is refused, and what is missing is named all at once (一次性告知).
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from schemas.canonical import Application
from schemas.errors import Invalid
from schemas.fields import DivisionCode, FormKey, ItemCode, LongLine

FORMAT: Final = "tongban/one-form/1"
MOST: Final = 20
JOINT: Final = "~"
"""Between the number of the whole and the place of a part in it: ``2026-17~1``."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of the form. ``fields``: its own field -> the form's; ``materials``: which of the form's go with it."""

    item: ItemCode
    name: LongLine
    version: Annotated[int, Meta(ge=1, le=999_999)]
    handling: DivisionCode
    fields: dict[FormKey, FormKey] = {}
    materials: list[LongLine] = []


class OneForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. ``parts`` are numbered from 1 in their order."""

    format: str
    item: ItemCode
    name: LongLine
    version: Annotated[int, Meta(ge=1, le=999_999)]
    parts: Annotated[list[Part], Meta(min_length=2, max_length=MOST)] = msgspec.field(name="part")


class Asked(NamedTuple):
    """A field or a material of the form, and the items that ask for it."""

    name: str
    items: tuple[str, ...]


def read(data: bytes) -> OneForm:
    """The form of a file. Raises Invalid."""
    try:
        form = msgspec.convert(tomllib.loads(data.decode("utf-8")), OneForm)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid("one-form-unreadable", f"一张表单的定义有误：{error}", f"bad one-form file: {error}") from None
    codes = [form.item, *(part.item for part in form.parts)]
    if form.format != FORMAT or len(set(codes)) < len(codes):
        zh, en = "格式不符，或同一事项写了两次", "another format, or an item twice"
        raise Invalid("one-form-unreadable", zh, en, "part")
    return form


def fields(form: OneForm) -> list[Asked]:
    """Each field once, in the order in which the parts first ask for it."""
    return _merged([(part.item, list(part.fields.values())) for part in form.parts])


def materials(form: OneForm) -> list[Asked]:
    """Each material once."""
    return _merged([(part.item, part.materials) for part in form.parts])


def split(form: OneForm, whole: Application) -> list[Application]:
    """An application of each part, numbered under the whole's number. Raises Invalid that names all that is missing, or over."""
    asked = {one.name for one in fields(form)}, {one.name for one in materials(form)}
    papers = {one.name for one in whole.materials} | {one.name for one in whole.certificates}
    _nothing_but(set(whole.form) | papers, asked[0] | asked[1])
    _each_certificate_once(form, whole)
    return [
        msgspec.structs.replace(
            whole,
            case_number=part_number(whole.case_number, place),
            item=part.item,
            item_name=part.name,
            item_version=part.version,
            handling=part.handling,
            form={own: whole.form[name] for own, name in part.fields.items()},
            materials=[one for one in whole.materials if one.name in part.materials],
            certificates=[one for one in whole.certificates if one.name in part.materials],
        )
        for place, part in enumerate(form.parts, 1)
    ]


def part_number(number: str, place: int) -> str:
    """The number of a part."""
    return f"{number}{JOINT}{place}"


def _merged(asked: list[tuple[str, list[str]]]) -> list[Asked]:
    found: dict[str, list[str]] = {}
    for item, names in asked:
        for name in names:
            if item not in found.setdefault(name, []):
                found[name].append(item)
    return [Asked(name, tuple(items)) for name, items in found.items()]


def _each_certificate_once(form: OneForm, whole: Application) -> None:
    """A use code is good for one case: what several parts ask for has to come as a file."""
    shared = {one.name for one in materials(form) if len(one.items) > 1}
    bad = sorted(one.name for one in whole.certificates if one.name in shared)
    if bad:
        zh, en = f"几个事项都要的材料不能用一个用证码：{'、'.join(bad)}", f"several items need it: {', '.join(bad)}"
        raise Invalid("certificate-shared", zh, en, "certificates")


def _nothing_but(given: set[str], asked: set[str]) -> None:
    missing, over = sorted(asked - given), sorted(given - asked)
    if missing:
        zh, en = f"一张表单还缺：{'、'.join(missing)}", f"the form lacks: {', '.join(missing)}"
        raise Invalid("missing-field", zh, en, "form")
    if over:
        zh, en = f"没有哪个事项要这些：{'、'.join(over)}", f"no item asks for: {', '.join(over)}"
        raise Invalid("unknown-field", zh, en, "form")
