"""An e-certificate's metadata (GB/T 36903-2018) as the custom data of its OFD, keys in pinyin as conforming systems write them.

Written strictly, read tolerantly and within bounds. Keys of the standard's circle: ZZ… certificate, CZZT… holder, JZJ…
annotated copy (加注件), KZ_… surface fields. What they have no word for has keys of ours with the prefix TB_: the label of a
surface field, the permits (许可), the address of the QR code and the party a copy was made for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, NoReturn

from signing import ecert_id
from signing.ecert import Annotation, Field, Holder, Metadata, Permit
from signing.errors import Malformed

Pairs = tuple[tuple[str, str], ...]
MAX_PAIRS: Final = 1024
MAX_VALUE: Final = 4096
MAX_PERMITS: Final = 64
OPEN_END: Final = "长期"
_WIDE_SPACE: Final = "\u3000"  # common in names and addresses
_NO_END: Final = frozenset({OPEN_END, "永久", "无期限", "99991231", "9999-12-31"})
_BEIJING: Final = timezone(timedelta(hours=8))
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_DAY: Final = re.compile(r"(\d{4})(?:-?(\d\d)-?(\d\d)|年(\d{1,2})月(\d{1,2})日)", re.ASCII)
_MOMENT: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[ T]?(\d\d):?(\d\d):?(\d\d)", re.ASCII)
CODE_TYPES: Final = {"111": "公民身份号码", "001": "统一社会信用代码"}
_PERMIT: Final = ("BH", "MC", "XKBH", "QSRQ", "JZRQ")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says of itself. ``missing``: keys that should stand and do not."""

    metadata: Metadata
    missing: tuple[str, ...]


# --- written ----------------------------------------------------------------------------------------------------------


def write(metadata: Metadata) -> Pairs:
    """The custom data, in the order of the standard. Malformed(``ecert-…``) for metadata that contradict themselves, and
    for text that a reader would not give back as it was."""
    pairs = tuple(_pairs(metadata))
    _consistent(metadata)
    if len(pairs) > MAX_PAIRS or len({key for key, _ in pairs}) != len(pairs):
        raise _wrong("repeated", "照面字段或许可过多，或名称重复", "too many fields or permits, or two of one name")
    for key, value in pairs:
        if (
            not value
            or len(value) > MAX_VALUE
            or value != value.strip()
            or not value.replace(_WIDE_SPACE, "").isprintable()
        ):
            raise _wrong("text", f"{key} 为空、过长或含控制字符", f"{key} is empty, too long or has control characters")
    return pairs


def _pairs(data: Metadata) -> Iterator[tuple[str, str]]:
    holder = data.holder
    yield from (
        ("ZZMC", data.type_name), ("ZZLXDM", data.type_code), ("ZZBH", data.number), ("ZZBS", data.identifier),
        ("ZZBFJG", data.issuer_name), ("ZZBFJGDM", data.issuer_code), ("ZZBFRQ", _day(data.issued)),
        ("CZZT", holder.name), ("CZZTDM", holder.code), ("CZZTDMLX", CODE_TYPES.get(holder.code_type, holder.code_type)),
        ("CZZTDMLXDM", holder.code_type), ("ZZYXQQSRQ", _day(data.valid_from)), ("ZZYXQJZRQ", _end(data.valid_to)),
    )  # fmt: skip
    for field in data.fields:
        if field.value:  # an empty box on the certificate is said by its label alone
            yield f"KZ_{field.name}", field.value
        yield f"TB_BQ_{field.name}", field.label
    for place, permit in enumerate(data.permits, 1):
        said = (permit.id, permit.name, permit.number, _day(permit.valid_from), _end(permit.valid_to))
        yield from ((f"TB_XK_{place}_{key}", value) for key, value in zip(_PERMIT, said, strict=True))
    if data.url:
        yield "TB_EWM", data.url
    if data.annotation is not None:
        copy = data.annotation
        yield from (
            ("JZJZZSJ", _moment(copy.made_at)), ("JZJZZZ", copy.made_by), ("JZJZZSY", copy.reason),
            ("JZJYXQJZSJ", _moment(copy.expires)), ("TB_JZJSYF", copy.relying_party),
        )  # fmt: skip


def _consistent(data: Metadata) -> None:
    identifier = ecert_id.parse(data.identifier)
    if identifier.findings:
        raise _wrong("identifier", "证照标识不合规定", "the identifier is not after the standard")
    if (identifier.type_code, identifier.issuer) != (data.type_code, data.issuer_code):
        raise _wrong("identifier", "证照标识与类型或颁发机构代码不一致", "identifier and type or issuer code differ")
    spans = [(data.valid_from, data.valid_to), *((one.valid_from, one.valid_to) for one in data.permits)]
    if any(last is not None and last < first for first, last in spans):
        raise _wrong("validity", "有效期止早于起", "a validity ends before it begins")
    if len(data.permits) > MAX_PERMITS or len({one.id for one in data.permits}) != len(data.permits):
        raise _wrong("repeated", "许可过多或编号重复", "too many permits, or two of one id")
    if not all(_NAME.fullmatch(field.name) for field in data.fields):
        raise _wrong("field", "照面字段名应为大写字母、数字与下划线", "a field is named in capitals, digits and _")


def _day(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _end(day: date | None) -> str:
    return OPEN_END if day is None else _day(day)


def _moment(moment: datetime) -> str:
    """Beijing wall clock, as the keys are used."""
    return f"{moment.astimezone(_BEIJING):%Y%m%d%H%M%S}"


# --- read -------------------------------------------------------------------------------------------------------------


def read(pairs: Sequence[tuple[str, str]]) -> Reading:
    """The metadata in custom data. Malformed if these are no e-certificate's, or say something that cannot be read: a key
    twice, no readable date where one must stand."""
    said = _by_key(pairs)
    if "ZZBS" not in said:
        raise _wrong(
            "none", "不是电子证照：文件没有证照标识（ZZBS）", "no e-certificate: the file has no identifier (ZZBS)"
        )
    missing: list[str] = []

    def of(key: str) -> str:
        if not said.get(key):
            missing.append(key)
        return said.get(key, "")

    issued = _read_day("ZZBFRQ", of("ZZBFRQ"))
    kind = said.get("CZZTDMLXDM") or of("CZZTDMLX")
    metadata = Metadata(
        identifier=said["ZZBS"],
        type_code=of("ZZLXDM"),
        type_name=of("ZZMC"),
        number=of("ZZBH"),
        holder=Holder(
            of("CZZT"), of("CZZTDM"), next((code for code, name in CODE_TYPES.items() if name == kind), kind)
        ),
        issuer_name=of("ZZBFJG"),
        issuer_code=of("ZZBFJGDM"),
        issued=issued,
        valid_from=_read_day("ZZYXQQSRQ", said["ZZYXQQSRQ"]) if of("ZZYXQQSRQ") else issued,
        valid_to=_read_end("ZZYXQJZRQ", of("ZZYXQJZRQ")),
        fields=tuple(_fields(said)),
        permits=tuple(_permits(said)),
        url=said.get("TB_EWM", ""),
        annotation=_annotation(said, of) if "JZJYXQJZSJ" in said else None,
    )
    return Reading(metadata, tuple(missing))


def _by_key(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    if len(pairs) > MAX_PAIRS or any(len(key) > MAX_VALUE or len(value) > MAX_VALUE for key, value in pairs):
        raise _wrong("size", "证照元数据过多或过长", "too many metadata, or too long ones")
    said = {key.strip(): value.strip() for key, value in pairs}
    if len(said) != len(pairs):
        raise _wrong("repeated", "证照元数据有同名项", "two metadata have the same name")
    return said


def _fields(said: Mapping[str, str]) -> Iterator[Field]:
    names = dict.fromkeys(
        key.removeprefix(start) for key in said for start in ("KZ_", "TB_BQ_") if key.startswith(start)
    )
    return (Field(name, said.get(f"TB_BQ_{name}", name), said.get(f"KZ_{name}", "")) for name in names)


def _permits(said: Mapping[str, str]) -> Iterator[Permit]:
    for place in range(1, MAX_PERMITS + 1):
        keys = [f"TB_XK_{place}_{key}" for key in _PERMIT]
        if keys[0] not in said:
            return
        own, name, number, first, last = (said.get(key, "") for key in keys)
        yield Permit(own, name, number, _read_day(keys[3], first), _read_end(keys[4], last))


def _annotation(said: Mapping[str, str], of: Callable[[str], str]) -> Annotation:
    return Annotation(
        made_by=of("JZJZZZ"),
        made_at=_read_moment("JZJZZSJ", of("JZJZZSJ")),
        reason=of("JZJZZSY"),
        relying_party=said.get("TB_JZJSYF", ""),
        expires=_read_moment("JZJYXQJZSJ", said["JZJYXQJZSJ"]),
    )


def _read_day(key: str, value: str) -> date:
    """20260131, 2026-01-31 or 2026年1月31日; of a date with a time the date counts."""
    found = _DAY.match(value)
    try:
        return date(*(int(part) for part in found.groups() if part)) if found else _unreadable(key)
    except ValueError:
        return _unreadable(key)


def _read_end(key: str, value: str) -> date | None:
    return None if not value or value in _NO_END else _read_day(key, value)


def _read_moment(key: str, value: str) -> datetime:
    """With a time, or the whole of the day."""
    found = _MOMENT.match(value)
    try:
        if found:
            return datetime(*map(int, found.groups()), tzinfo=_BEIJING).astimezone(UTC)  # type: ignore[misc, arg-type]
        day = _read_day(key, value) + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=_BEIJING).astimezone(UTC)
    except (ValueError, OverflowError):
        return _unreadable(key)


def _unreadable(key: str) -> NoReturn:
    raise _wrong("date", f"{key} 不是可读的日期", f"{key} is no date that can be read")


def _wrong(what: str, zh: str, en: str) -> Malformed:
    return Malformed(f"ecert-{what}", zh, en)
