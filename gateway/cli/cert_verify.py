"""The acts behind ``tongban cert verify``: a chain, what is said online of its leaf, and the other certificate of a pair."""

from __future__ import annotations

import asyncio
import datetime
import secrets
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

from gateway.cli import cert_report as report
from gateway.cli import cert_tools as tools
from gateway.cli.sm import Context
from gateway.lang import say
from signing import ocsp
from signing.dual import check_pair
from signing.errors import Indeterminate
from signing.path import PathReport, check_path
from signing.policy import PathPolicy

if TYPE_CHECKING:
    from signing.certs import Certificate
    from signing.crl import RevocationList
    from signing.ocsp import Answer
    from signing.providers import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options of ``cert verify``."""

    file: str
    anchors: tuple[str, ...]
    intermediates: tuple[str, ...]
    crls: tuple[str, ...]
    require_crl: bool
    partitions: str
    responses: tuple[str, ...]
    url: str | None
    pair: str | None
    at: datetime.datetime | None
    usage: str
    provider: str


@dataclass(frozen=True, slots=True)
class _Against:
    """What a certificate is judged against."""

    anchors: list[Certificate]
    middle: list[Certificate]
    crls: list[RevocationList]
    policy: PathPolicy
    provider: Provider
    moment: datetime.datetime

    def judge(self, leaf: Certificate, statuses: list[Answer]) -> PathReport:
        """The chain as of the moment, with news of revocation as fresh then or today."""
        judge = partial(
            check_path, leaf, self.middle, self.anchors, self.moment, self.provider, crls=self.crls, statuses=statuses,
            policy=self.policy,
        )  # fmt: skip
        return tools.as_of_then_or_now(lambda day: judge(now=day), self.moment)


def verify(context: Context, wanted: Wanted) -> NoReturn:
    """End with the verdict on the first certificate of the file; those after it serve as intermediates."""
    leaf, *more = tools.certificates(context, [wanted.file])
    other = tools.certificates(context, [wanted.pair])[0] if wanted.pair else None
    anchors, middle = tools.certificates(context, wanted.anchors), tools.certificates(context, wanted.intermediates)
    policy = replace(
        tools.path_policy(wanted.usage, wanted.require_crl),
        crl_partitions=tools.partitions(wanted.partitions),
        ocsp_nonce="optional",  # a prepared answer is common; another nonce than ours is refused all the same
    )
    against = _Against(
        anchors, [*more, *middle], tools.lists(context, wanted.crls), policy,
        context.open(wanted.provider, failing=None), tools.now(wanted.at),
    )  # fmt: skip
    statuses = tools.statuses(context, wanted.responses, leaf)
    asked = _asked(wanted.url, leaf, against) if wanted.url else None
    found = against.judge(leaf, [*statuses, *([asked] if isinstance(asked, ocsp.Answer) else [])])
    if isinstance(asked, Indeterminate):
        found = _unanswered(found, asked, settled=bool(against.crls or statuses))
    news = wanted.crls or wanted.responses or wanted.url or wanted.require_crl
    if other is None:
        report.chain_answer(context, found, against.moment, news=bool(news))
    signs = replace(against, policy=replace(policy, usage="sign")).judge(leaf, statuses)
    enciphers = replace(against, policy=replace(policy, usage="encrypt")).judge(other, [])
    report.pair_answer(context, signs, enciphers, check_pair(leaf, other), against.moment, news=bool(news))


def _asked(url: str, leaf: Certificate, against: _Against) -> Answer | Indeterminate:
    """What the responder at ``url`` says now; asked by the issuer that the chain shows."""
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(say(f"不是网址：{url}", f"not a URL: {url}"))
    unasked = replace(against, policy=replace(against.policy, revocation="ignore")).judge(leaf, [])
    if len(unasked.path) < 2:
        return Indeterminate("ocsp-no-issuer", "没有颁发者证书，无法查询在线状态", "no issuer to ask about")
    return asyncio.run(_ask(url, leaf, unasked.path[1], against))


async def _ask(url: str, leaf: Certificate, issuer: Certificate, against: _Against) -> Answer | Indeterminate:
    import aiohttp

    from gateway.ops.ocsp import Asking, StatusClient

    asking = Asking(
        policy=against.policy, provider=against.provider, now=lambda: datetime.datetime.now(datetime.UTC),
        new_nonce=lambda: secrets.token_bytes(16),
    )  # fmt: skip
    async with aiohttp.ClientSession() as session:
        return await StatusClient(session, asking).ask(url, leaf, issuer)


def _unanswered(found: PathReport, reason: Indeterminate, *, settled: bool) -> PathReport:
    """Who asks a responder and gets no answer cannot tell, unless something else has told."""
    if settled and found.ok:
        return found
    return replace(found, ok=None if found.ok else found.ok, reasons=(*found.reasons, reason))
