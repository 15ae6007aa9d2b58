"""The steps of ``adapter test``: everything about a profile that can be tried without its platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from adapters import samples
from adapters.base import Untranslatable
from adapters.check import check_profile, check_table
from adapters.message_set.translate import ObjectTranslator
from adapters.profile import Profile, known_type
from adapters.report import Report
from adapters.rest_signed import sign
from adapters.rest_signed.rehearsal import rehearse
from adapters.rest_signed.translate import RestTranslator
from adapters.soap.family import service_of
from adapters.webhook.family import read_signing
from gateway.cli.profile_files import Files, compiled, plain_translator, xml_translator
from schemas.errors import Invalid
from schemas.xml import parse_xml

if TYPE_CHECKING:
    from adapters.base import Translator


class Step(NamedTuple):
    """One line of the score card."""

    name: str
    ok: bool
    zh: str
    en: str
    detail: str = ""


def run(files: Files) -> list[Step]:
    """All steps of one profile."""
    profile = compiled(files)
    if isinstance(profile, list):
        return [Step(f.where, False, f"映射表：{f.zh}", f"table: {f.en}", f.where) for f in profile]
    report = check_profile(profile)
    detail = "；".join(f"{f.where} {f.zh}" for f in report.findings)
    steps = [Step("check", not report.findings, "映射表无错误", "tables have no errors", detail)]
    return steps + list(FAMILIES[profile.text.family](profile, files))


def _try(name: str, zh: str, en: str, act: Callable[[], object]) -> Step:
    try:
        act()
    except (Untranslatable, Invalid) as bad:
        return Step(name, False, zh, en, f"{bad.path} {bad.zh}".strip())
    return Step(name, True, zh, en)


def _samples(profile: Profile, translator: Translator) -> Iterator[Step]:
    for type_ in filter(known_type, profile.outward):
        out = samples.outbound(type_)
        zh, en = f"样例转出：{type_}", f"sample goes out: {type_}"
        yield _try(f"out.{type_}", zh, en, lambda out=out: translator.outbound(out))  # type: ignore[misc]


def _rest(profile: Profile, files: Files) -> Iterator[Step]:
    read = partial(sign.read_scheme, profile.text.signing)
    covers = _try("signing", "签名覆盖全部要素", "the signature covers all it must", read)
    yield covers
    if covers.ok:
        zh, en = "证明可制作，且只对本请求有效", "a proof is made, and holds for its own request alone"
        yield _try("proof", zh, en, lambda: _proved(read()))
    yield from _samples(profile, RestTranslator(profile))


def _proved(scheme: sign.Scheme) -> None:
    from signing.providers import open_provider

    rehearse(scheme, open_provider())


def _plain(profile: Profile, files: Files) -> Iterator[Step]:
    yield from _samples(profile, plain_translator(profile, files))


def _webhook(profile: Profile, files: Files) -> Iterator[Step]:
    translator = plain_translator(profile, files)
    signed = partial(read_signing, profile, translator.words)
    yield _try("signing", "签名覆盖全部要素", "the signature covers all it must", signed)
    for type_ in translator.words.events:
        sent = partial(translator.outbound, samples.outbound(type_))
        yield _try(f"out.{type_}", f"样例转出：{type_}", f"sample goes out: {type_}", sent)


def _xml(profile: Profile, files: Files) -> Iterator[Step]:
    translator = xml_translator(profile, files)
    yield Step("xsd", True, "XSD 可编译且自足", "the XSD compiles and stands alone")
    yield from _samples(profile, translator)
    if isinstance(translator, ObjectTranslator):
        return
    service = service_of(translator, files.beside)

    def described() -> None:
        parse_xml(service.wsdl("https://gateway.example/platform/v1/soap"))

    yield _try("wsdl", "WSDL 可生成", "the WSDL can be built", described)


def _national(profile: Profile, files: Files) -> Iterator[Step]:
    """The columns against the report's types, and every event's rows of a sample case."""
    translator = plain_translator(profile, files)
    for name, table in translator.words.tables.items():
        findings = check_table(profile, name, Report, table.each)
        detail = "；".join(f"{one.where} {one.zh}" for one in findings)
        yield Step(f"table.{name}", not findings, f"列有来源：{name}", f"columns have sources: {name}", detail)
    for event in translator.words.events:
        out = samples.report(event)
        zh, en = f"样例成行：{event}", f"a sample fills its rows: {event}"
        yield _try(f"rows.{event}", zh, en, lambda out=out: translator.outbound(out))  # type: ignore[misc]


FAMILIES = {
    "rest_signed": _rest, "soap": _xml, "message_set": _xml, "front_db": _plain, "file_drop": _plain, "union_json": _plain,
    "national_push": _national, "webhook": _webhook,
}  # fmt: skip
