"""What can be wrong with an agreement file, said with the line and, for a mistyped key, what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from agreements.model import EVERYTHING, Agreement
from schemas.codes import check_uscc
from schemas.errors import Invalid
from schemas.explain import known_keys

_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?")

_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


class AgreementError(Exception):
    """A file that is no agreement. ``where`` names line or part, for people; ``code`` is stable."""

    def __init__(self, code: str, zh: str, en: str, where: str = "") -> None:
        super().__init__(f"{where}: {en}" if where else en)
        self.code = code
        self.zh = zh
        self.en = en
        self.where = where


def line_of(source: str, path: str) -> int:
    """The line of a path such as ``line[2].power`` or ``clocks.notify.days``: of its key, else of its table; 0 if
    unknown.

    Reads headers and keys line by line, which is exact for tables written one under the other.
    """
    steps = [(name, int(index or 0)) for name, index in re.findall(r"([A-Za-z0-9_-]+)(?:\[(\d+)\])?", path)]
    seen: dict[str, int] = {}
    best, depth = 0, 0
    for number, line in enumerate(source.splitlines(), 1):
        if header := _HEADER.match(line):
            names = header[1].split(".")
            seen[header[1]] = seen.get(header[1], -1) + 1
            here = names == [name for name, _ in steps[: len(names)]] and steps[len(names) - 1][1] == seen[header[1]]
            depth = len(names) if here else len(steps)
            best = number if here else best
        elif depth < len(steps) and (key := _KEY.match(line)) and key[1] == steps[depth][0]:
            return number
    return best


def _where(source: str, path: str) -> str:
    line = line_of(source, path)
    return f"第{line}行 line {line}（{path}）" if line else path


def from_invalid(problem: Invalid, source: str) -> AgreementError:
    """A refusal of the shapes, with its line; for an unknown key the nearest known one."""
    zh, en = problem.zh, problem.en
    if problem.code == "unknown-field":
        parent, _, name = problem.path.rpartition(".")
        near = get_close_matches(name, known_keys(Agreement, parent), 1, 0.5)
        if near:
            zh, en = f"{zh}，是否想写“{near[0]}”？", f"{en}, did you mean {near[0]}?"
    return AgreementError(problem.code, zh, en, _where(source, problem.path))


def _flaws(agreement: Agreement) -> Iterator[tuple[str, str, str, str]]:
    """(code, zh, en, path) of what the shapes alone cannot see."""
    if agreement.expires < agreement.in_force:
        yield "term-order", "届满日早于生效日", "it expires before it is in force", "expires"
    if agreement.confidentiality == "end-to-end" and not agreement.clauses.confidentiality:
        zh, en = "约定了端到端加密而未写明条款", "contents are sealed end to end, and no clause says so"
        yield "confidentiality-clause", zh, en, "clauses.confidentiality"
    for n, party in enumerate(agreement.parties):
        division, _, uscc = party.id.partition(".")
        if division != party.division:
            yield "party-division", "主体标识与区划代码不一致", "party id and division differ", f"party[{n}].division"
        if check_uscc(uscc) is not None:
            zh, en = "主体标识中的统一社会信用代码校验不符", "the credit code in the party id is wrong"
            yield "party-uscc", zh, en, f"party[{n}].id"
        if [other.id for other in agreement.parties].index(party.id) != n:
            yield "party-twice", "同一主体出现两次", "a party appears twice", f"party[{n}].id"
    keys = [(item.code, item.version) for item in agreement.items]
    for n, key in enumerate(keys):
        if keys.index(key) != n:
            yield "item-twice", "同一事项的同一版本出现两次", "an item appears twice in one version", f"item[{n}].code"
    yield from _line_flaws(agreement)
    yield from _certificate_flaws(agreement)


def _line_flaws(agreement: Agreement) -> Iterator[tuple[str, str, str, str]]:
    codes = {item.code for item in agreement.items}
    parties = {party.id for party in agreement.parties}
    for n, line in enumerate(agreement.lines):
        if unknown := [code for code in line.items if code not in codes]:
            zh, en = f"条款引用了清单外的事项：{unknown[0]}", f"a line names an item that is not listed: {unknown[0]}"
            yield "line-item", zh, en, f"line[{n}].items"
        for side in ("collecting", "handling"):
            if not parties.issuperset(getattr(line, side)):
                yield "line-party", "条款引用了协议之外的主体", "a line names a party that is none", f"line[{n}].{side}"
        if {*line.collecting, *line.handling} == {line.collecting[0]}:
            yield "line-alone", "条款的收件地与办理地相同", "a line's two ends are the same", f"line[{n}].handling"


def _certificate_flaws(agreement: Agreement) -> Iterator[tuple[str, str, str, str]]:
    parties = {party.id for party in agreement.parties}
    if agreement.certificates and not agreement.clauses.certificates:
        zh, en = "约定了证照使用而未写明条款出处", "certificates may be used, and no clause says so"
        yield "certificate-clause", zh, en, "clauses.certificates"
    for n, line in enumerate(agreement.certificates):
        for side in ("issuers", "to"):
            if not parties.issuperset(getattr(line, side)):
                zh, en = "证照条款引用了协议之外的主体", "a certificate line names a party that is none"
                yield "certificate-party", zh, en, f"certificate[{n}].{side}"
        if len({*line.issuers, *line.to}) == 1:
            zh, en = "证照条款的颁发方与使用方相同", "a certificate line's two ends are the same"
            yield "certificate-alone", zh, en, f"certificate[{n}].to"
        if EVERYTHING in line.fields and line.fields != [EVERYTHING]:
            zh, en = "“*”已是整张证照，不与其他字段并列", "* is the whole certificate and stands alone"
            yield "certificate-fields", zh, en, f"certificate[{n}].fields"
        for name in ("types", "fields", "uses", "issuers", "to"):
            given = getattr(line, name)
            if len(set(given)) < len(given):
                yield (
                    "certificate-twice",
                    "证照条款中有重复",
                    "a certificate line repeats itself",
                    f"certificate[{n}].{name}",
                )
    clauses = [line.clause for line in agreement.certificates]
    if len(set(clauses)) < len(clauses):  # a clause is how a release is cited: it has to name one line
        zh, en = "两项证照条款用了同一条款号", "two certificate lines have one clause"
        yield "certificate-clause-twice", zh, en, f"certificate[{len(clauses) - 1}].clause"


def cross_checks(agreement: Agreement, source: str) -> None:
    """Raise for the first flaw across fields."""
    for code, zh, en, path in _flaws(agreement):
        raise AgreementError(code, zh, en, _where(source, path))
