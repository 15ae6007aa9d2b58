"""``tongban map check|run|trace``: a profile's tables checked before any message, and tried on a sample.
``map shadow|replay`` try it on a node's real messages; ``map new`` proposes one from samples; ``map sample`` gives the canonical
form of one to fill in.

Inwards (``--operation``) the sample is a message of the platform: JSON, or the XML element of a SOAP Body. Outwards
(``--type``) it is a canonical body as JSON; without a sample the built-in fictitious one is used. Exit: 0 it maps, 1 it does
not, 65 the sample or the profile cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.map_new import new
from gateway.cli.map_shadow import replay, shadow
from gateway.lang import say

if TYPE_CHECKING:
    from adapters.base import Untranslatable
    from adapters.profile import Profile
    from adapters.rules import Finding, Traced

PROFILE = click.argument("profile_name", metavar="PROFILE")
JSON = click.option("--json", is_flag=True, help=say("机器可读输出", "for machines"))


def _sample_options(command: Callable[..., Any]) -> Callable[..., Any]:
    operation = say("平台报文的操作名（入向）", "the operation of the platform's message (inwards)")
    type_ = say("规范报文类型（出向）", "the canonical message type (outwards)")
    command = click.option("--operation", metavar="NAME", help=operation)(command)
    return click.option("--type", "type_", metavar="TYPE", help=type_)(command)


@click.group("map", help=say("字段映射：检查、试运行、溯源。", "Mapping rules: check, run, trace."))
def group() -> None:
    """Mapping."""


group.add_command(new)
group.add_command(shadow)
group.add_command(replay)


@group.command(help=say("给出一类规范报文的样例，照着填写。", "A canonical sample of a type, to be filled in."))
@click.argument("type_", metavar="TYPE")
def sample(type_: str) -> None:
    """Exit 0. The person in it does not exist."""
    import msgspec

    from adapters import samples
    from schemas import codec
    from schemas.canonical import BODIES

    known = [one for one in samples.types() if one in BODIES]
    if type_ not in known:
        raise click.UsageError(say(f"TYPE 须为：{'、'.join(known)}", f"TYPE is one of {', '.join(known)}"))
    click.echo(msgspec.json.format(codec.canonical(samples.body(type_)), indent=2).decode())


@group.command(help=say("检查方案的全部映射表。", "Check all tables of a profile."))
@PROFILE
@JSON
def check(profile_name: str, json: bool) -> None:
    """Exit 0: no error; hints do not count."""
    from adapters.check import check_profile
    from gateway.cli import profile_files
    from gateway.cli.output import finish

    profile = profile_files.compiled(profile_files.load(profile_name))
    findings, hints = profile, []
    if not isinstance(profile, list):
        report = check_profile(profile)
        findings, hints = report.findings, report.hints
    assert isinstance(findings, list)  # noqa: S101 - the other case was replaced above
    lines = [f"✗ {f.where}: {say(f.zh, f.en)}" for f in findings]
    lines += [f"  {h.where}: {say(h.zh, h.en)}" for h in hints]
    lines.append(say(f"{len(findings)} 个错误，{len(hints)} 个提示", f"{len(findings)} errors, {len(hints)} hints"))
    data = {
        "output": None,
        "trace": [],
        "errors": [_finding(f) for f in findings],
        "hints": [_finding(h) for h in hints],
    }
    finish(not findings, data, json, lines)


@group.command(help=say("把样例按方案转换一次。", "Map a sample."))
@PROFILE
@click.argument("sample", required=False)
@_sample_options
@JSON
def run(profile_name: str, sample: str | None, operation: str | None, type_: str | None, json: bool) -> None:
    """Exit 0: the sample maps to a valid message."""
    _map(profile_name, sample, operation, type_, json, traced=False)


@group.command(
    help=say("转换样例，并说明每个目标字段的来源。", "Map a sample and say where each target field came from.")
)
@PROFILE
@click.argument("sample", required=False)
@_sample_options
@JSON
def trace(profile_name: str, sample: str | None, operation: str | None, type_: str | None, json: bool) -> None:
    """Like run, with one line for each target."""
    _map(profile_name, sample, operation, type_, json, traced=True)


def _finding(found: Finding) -> dict[str, str]:
    return {"where": found.where, "code": found.code, "text": say(found.zh, found.en)}


def _map(
    profile_name: str, sample: str | None, operation: str | None, type_: str | None, json: bool, *, traced: bool
) -> None:
    from gateway.cli import map_run, profile_files
    from gateway.cli.output import finish

    if bool(operation) == bool(type_) or (operation and not sample):
        usage = say("请给出 --operation 与样例，或 --type（样例可省）", "give --operation and a sample, or --type")
        raise click.UsageError(usage)
    files = profile_files.load(profile_name)
    profile = profile_files.compiled(files)
    if isinstance(profile, list):
        finish(False, {"output": None, "trace": [], "errors": [_finding(f) for f in profile]}, json,
               [f"✗ {f.where}: {say(f.zh, f.en)}" for f in profile])  # fmt: skip
    if operation:
        done = map_run.inwards(profile, files, operation, sample or "")
    else:
        done = map_run.outwards(profile, files, type_ or "", sample)
    errors = [_error(error, profile) for error in done.errors]
    lines = [done.shown] if done.shown else []
    lines += [_trace_line(row) for row in done.trace] if traced else []
    lines += [f"✗ {error['path']}: {error['text']}" for error in errors]
    data = {"output": done.output, "trace": done.trace, "errors": errors}
    finish(not errors, data, json, lines)


def _error(error: Untranslatable, profile: Profile) -> dict[str, str]:
    return {"path": error.path, "code": error.code, "text": say(error.zh, error.en)}


def _trace_line(row: Traced) -> str:
    source = row.source or say("（默认值）", "(default)")
    code = f"  [{row.code_row}]" if row.code_row else ""
    return f"{row.target}  ←  {source}  {row.codec}{code}  {row.rule}"
