"""What ``tongban cert`` and ``tongban seal`` share: times as typed, trust as files, subjects, and where answers are written.

A time without a zone is Beijing time, as a clerk means it. Files are capped before they are read; what cannot be read ends
with exit 65 and says which file and why.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar, get_args

import click

from gateway.cli.sm import Context, failed, key_signer
from gateway.lang import say

if TYPE_CHECKING:
    from signing.certs import Certificate
    from signing.crl import RevocationList
    from signing.errors import Indeterminate, Rejected
    from signing.ocsp import Answer
    from signing.policy import Partitions, PathPolicy
    from signing.sm2 import Signer

CERTIFICATES_LIMIT = LIST_LIMIT = 64 << 20  # what is read at all; the parsers have lower caps and say so
BEIJING = datetime.timezone(datetime.timedelta(hours=8))


class Verdict(Protocol):
    """Anything with a verdict: True, False, or None for "cannot tell"."""

    @property
    def ok(self) -> bool | None: ...


Report = TypeVar("Report", bound=Verdict)


class MomentType(click.ParamType[datetime.datetime]):
    """RFC 3339, or a date with or without a time; without a zone it is Beijing time. Gives an aware UTC datetime."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime.datetime:
        if isinstance(value, datetime.datetime):
            return value
        try:
            moment = datetime.datetime.fromisoformat(str(value).strip())
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=BEIJING)
            return moment.astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            self.fail(
                say(
                    f"不是时间：{value}（例 2026-01-31T08:00:00+08:00）", f"not a time: {value} (2026-01-31T00:00:00Z)"
                ),
                param,
                ctx,
            )


MOMENT = MomentType()
AT = click.option(
    "--at", type=MOMENT, metavar="TIME", help=say("按此时刻判断（默认现在）", "judge as of this time (default: now)")
)
ANCHOR = click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="F",
    help=say("所信任的根证书，可多次", "a trusted root, may be repeated"),
)
INTERMEDIATE = click.option(
    "--intermediate",
    "intermediates",
    multiple=True,
    metavar="F",
    help=say("中间证书，可多次", "an intermediate, repeatable"),
)
CRL = click.option(
    "--crl", "crls", multiple=True, metavar="F", help=say("吊销列表，可多次", "a revocation list, repeatable")
)
OCSP = click.option(
    "--ocsp",
    "responses",
    multiple=True,
    metavar="F",
    help=say("在线状态答复文件，可多次", "a stored OCSP response, repeatable"),
)
REQUIRE_CRL = click.option(
    "--require-crl",
    is_flag=True,
    help=say("缺少有效的吊销列表即“无法判断”（退出码 2）", "no fresh list: cannot tell (exit 2)"),
)


def now(at: datetime.datetime | None) -> datetime.datetime:
    """The time to judge at."""
    return at or datetime.datetime.now(datetime.UTC)


def shown(moment: datetime.datetime) -> str:
    """A time for people: Beijing wall clock."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S} +08:00"


def stamp_of(moment: datetime.datetime) -> str:
    """A time for machines: RFC 3339 in UTC."""
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def certificates(context: Context, paths: Iterable[str]) -> list[Certificate]:
    """All certificates of these PEM or DER files, or the end (65)."""
    from gateway.cli.output import read_bytes
    from signing import certs
    from signing.errors import Malformed

    found: list[Certificate] = []
    for path in paths:
        data = read_bytes(path, CERTIFICATES_LIMIT)
        try:
            found += certs.load(data)
        except Malformed as error:
            context.unreadable(path, error)
    return found


def lists(context: Context, paths: Iterable[str]) -> list[RevocationList]:
    """The revocation lists of these files, or the end (65)."""
    from gateway.cli.output import read_bytes
    from signing import crl
    from signing.errors import Malformed

    found: list[RevocationList] = []
    for path in paths:
        data = read_bytes(path, LIST_LIMIT)
        try:
            found.append(crl.load(data))
        except Malformed as error:
            context.unreadable(path, error)
    return found


def statuses(context: Context, paths: Iterable[str], about: Certificate | None = None) -> list[Answer]:
    """The online status in these files, or the end (65). ``about``: whom they were asked about, where that is known."""
    from gateway.cli.output import read_bytes
    from signing import ocsp
    from signing.errors import Malformed

    found: list[Answer] = []
    for path in paths:
        data = read_bytes(path, CERTIFICATES_LIMIT)
        try:
            found.append(ocsp.Answer(about, ocsp.parse(data)))
        except Malformed as error:
            context.unreadable(path, error)
    return found


def as_of_then_or_now(judge: Callable[[datetime.datetime], Report], moment: datetime.datetime) -> Report:
    """A verdict with revocation lists as fresh at the moment asked about, or failing that, as fresh today: of a past
    moment a list of those days and a later one can both tell."""
    first = judge(moment)
    today = datetime.datetime.now(datetime.UTC)
    if first.ok is not None or today <= moment:
        return first
    second = judge(today)
    return first if second.ok is None else second


def path_policy(usage: str, require_crl: bool) -> PathPolicy:
    """Lists count where they are given; with ``require_crl`` they must be."""
    from signing.policy import USAGES, PathPolicy

    chosen = next(name for name in USAGES if name == usage)
    return PathPolicy(usage=chosen, revocation="require" if require_crl else "if-present")


def partitions(word: str) -> Partitions:
    """How partitioned lists count, by the word of the option."""
    from signing.policy import Partitions

    return next(known for known in get_args(Partitions) if known == word)


def signer(context: Context, provider: str, key: str, passphrase_file: str | None) -> Signer:
    """The signer of a private key in a file or a machine, or the end."""
    return key_signer(context, context.provider or context.open(provider), key, passphrase_file)


def subject(text: str) -> list[tuple[str, str]]:
    """``CN=...,O=...`` as typed, or wrong usage."""
    from signing.names import OIDS, encode, parse_text

    try:
        parts = parse_text(text)
        encode(parts)
    except ValueError as error:
        known = " ".join(OIDS)
        raise click.UsageError(
            say(f"名称写法不对：{error}（可用 {known}）", f"wrong name: {error} (known: {known})")
        ) from None
    return parts


def put(context: Context, path: str, data: bytes) -> None:
    """Write a result whole, or the end."""
    from gateway.cli.sm_files import write

    try:
        write(path, data)
    except OSError as error:
        failed(context, error)


def spoken(reason: Rejected | Indeterminate) -> dict[str, str]:
    """A reason for machines, its sentence in the reader's language."""
    return {"code": reason.code, "text": say(reason.zh, reason.en)}


def refuse(context: Context, reason: Rejected | Indeterminate, **more: object) -> NoReturn:
    """End with this reason: a no, or cannot tell."""
    from signing.errors import Rejected

    ok = False if isinstance(reason, Rejected) else None
    context.done(ok, reason.code, reason.zh, reason.en, **more)


def path_of(chain: Sequence[Certificate]) -> list[str]:
    """A chain for machines: subjects, leaf first."""
    return [certificate.subject for certificate in chain]
