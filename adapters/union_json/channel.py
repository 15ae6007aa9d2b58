"""The calls that we make to a city's or province's platform (市际联办): messages, questions, what waits for us, lists, files.

Only addresses below the registered one are called, redirects are not followed, answers are cut off at a size. A message of
several calls is made from the first to the last at every attempt: what they have already they call a repetition.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from adapters.base import Accepted, Answer, CannotAsk, Interrupted, Outcome, Temporary, Unclear, Wire
from adapters.rules import reader
from adapters.transport import Line, Lost, Reply, Request, Unsent, exchange
from adapters.union_json import answers
from adapters.union_json.answers import Form
from adapters.union_json.credentials import Credentials
from adapters.union_json.translate import Call, UnionTranslator
from signing.errors import SigningError

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class UnionChannel:
    """See ``adapters.base.Channel``."""

    line: Line
    translator: UnionTranslator
    form: Form
    base_url: str
    credentials: Credentials
    can_ask: bool
    connect_ms: int
    total_ms: int
    max_answer: int

    async def send(self, wire: Wire) -> Outcome:
        reference = ""
        for number, call in enumerate(msgspec.json.decode(wire.body, type=list[Call])):
            outcome = self._outcome(await self._post(call.path, bytes(call.body)))
            if not isinstance(outcome, Accepted):
                return _later(outcome) if number else outcome
            reference = reference or outcome.reference
        return Accepted(reference)

    def _outcome(self, reply: Reply | Unsent | Lost) -> Outcome:
        if isinstance(reply, Unsent):
            return Temporary(reply.reason, absent=True)
        if isinstance(reply, Lost):
            return Unclear(reply.reason)
        return answers.judge(self.form, reply, self.max_answer)

    async def ask(self, out_id: str) -> Answer:
        words = self.translator.words
        if not self.can_ask or not words.ask:
            return CannotAsk()
        reply = await self.call(words.ask, {words.ask_id: out_id})
        if isinstance(reply, Unsent | Lost):
            return Temporary(reply.reason, absent=isinstance(reply, Unsent))
        return answers.judge_ask(self.form, reply, self.max_answer)

    async def call(self, name: str, params: Mapping[str, Any], max_answer: int = 0) -> Reply | Unsent | Lost:
        """One call with its parameters."""
        words = self.translator.words
        return await self._post(words.calls[name], msgspec.json.encode({words.params: params}), max_answer)

    async def answer_to(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """What a call brings that was a plain yes. Raises Interrupted for anything else."""
        body = msgspec.json.encode({self.translator.words.params: params})
        reply = await self._post(path, body)
        if isinstance(reply, Unsent | Lost):
            raise Interrupted(f"对方平台未答复（{reply.reason}）", f"no answer: {reply.reason}")
        found = answers.opened(self.form, reply, self.max_answer)
        if not isinstance(found, tuple):
            raise Interrupted(f"对方平台答复不可用（{found.reason}）", f"no usable answer: {found.reason}")
        if found[0] not in self.form.ok:
            raise Interrupted(f"对方平台答复代码 {found[0][:32]}", f"they answer with code {found[0][:32]}")
        return found[1]

    async def read(self, name: str, params: Mapping[str, Any]) -> list[Any]:
        """The list that a reading call brings (``[union.read]``: catalogue, items, handling points). Raises Interrupted."""
        words = self.translator.words
        answer = await self.answer_to(words.calls[name], params)
        found = reader(words.read[name])(answer, answer)
        if type(found) is not list:
            raise Interrupted("对方平台的答复里没有列表", "there is no list in the answer")
        return found

    async def pieces(self, id_: str, start: int) -> AsyncIterator[bytes]:
        """The bytes of a file from ``start`` on; a platform that knows no ranges sends it all, and its beginning is passed
        over. Raises Interrupted; the end of the iterator is not yet the end of the file."""
        file = self.translator.words.file
        assert file is not None  # noqa: S101 - who has lists has files
        url = self._url(f"{file.path}?{file.parameter}={quote(id_, safe='')}")
        headers = {"Accept": "*/*", **({"Range": f"bytes={start}-"} if start else {})}
        try:
            url, headers = self.credentials.shown("GET", url, headers, b"")
        except SigningError as error:
            raise Interrupted("签名密钥暂不可用", error.code) from None
        timeout = aiohttp.ClientTimeout(total=None, connect=self.connect_ms / 1000, sock_read=self.total_ms / 1000)
        try:
            async with self.line.session().get(
                url, headers=headers, timeout=timeout, allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept-Encoding"),
            ) as response:  # fmt: skip
                passed = _begin(response, start)
                async for piece in response.content.iter_chunked(1 << 16):
                    skipped = min(passed, len(piece))
                    passed -= skipped
                    if len(piece) > skipped:
                        yield piece[skipped:]
        except TimeoutError:
            raise Interrupted("附件传输超时", "the file came too slowly") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Interrupted("附件传输中断", "the file was cut") from None

    async def close(self) -> None:
        await self.line.close()

    def _url(self, path: str) -> URL:
        return URL(self.base_url.rstrip("/") + path, encoded=True)

    async def _post(self, path: str, body: bytes, max_answer: int = 0) -> Reply | Unsent | Lost:
        headers = {"Accept": "application/json", "Content-Type": JSON}
        try:
            url, headers = self.credentials.shown("POST", self._url(path), headers, body)
        except SigningError as error:  # nothing was sent: it waits until the key can sign again
            return Unsent(error.code)
        request = Request("POST", url, headers, body)
        limit = max_answer or self.max_answer
        return await exchange(self.line.session(), request, self.connect_ms, self.total_ms, limit)


def _later(outcome: Outcome) -> Outcome:
    """After an earlier call was taken nobody may say that nothing happened: the whole is tried again from the beginning."""
    return Temporary(outcome.reason) if isinstance(outcome, Temporary) else outcome


def _begin(response: aiohttp.ClientResponse, start: int) -> int:
    """How many bytes of the answer come before those that were asked for. Raises Interrupted where it is no file."""
    if response.status == 206 and start:
        if response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            return 0
        raise Interrupted("附件分段与所求不符", "another range than the one asked for")
    if response.status != 200:
        raise Interrupted(f"附件取不到（HTTP {response.status}）", f"the file cannot be had (HTTP {response.status})")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Interrupted("附件被压缩传输", "the file comes compressed")
    return start
