"""How we and a platform show each other who we are (身份凭据): a token in a header or the query, signed headers, or both.

No public text says how this family does it, so that a profile says. Tokens are kept beside the settings (``secrets``): ``token``
is what we show, ``their_token`` what the platform must show.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from yarl import URL

from adapters.base import Denied, Presented, Signed
from adapters.rest_signed import keys, sign
from adapters.union_json.words import Token
from signing.providers import Provider
from signing.sm3 import sm3

BAD_TOKEN: Final = Denied("wrong-credential", "令牌不符", "the token is not the one that was given")


@dataclass(frozen=True, slots=True)
class Signing:
    """Signed headers as ``rest_signed`` makes and checks them."""

    scheme: sign.Scheme
    signer: Callable[[], keys.Signing]
    provider: Provider
    known: keys.Keys
    app_id: str
    them: str
    window_ms: int
    new_nonce: Callable[[], str]
    now_ms: Callable[[], int]

    def headers(self, method: str, url: URL, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """The headers with those of the signature."""
        path, query = sign.split_target(url.raw_path_qs)
        covered = {"host": url.host_port_subcomponent or "", **{name.lower(): value for name, value in headers.items()}}
        part = sign.Part(method, path, query, covered, sm3(body))
        made = sign.sign(
            self.scheme,
            self.signer(),
            part,
            app=self.app_id,
            time_ms=self.now_ms(),
            nonce=self.new_nonce(),
            them=self.them,
        )
        return {**headers, **dict(made)}

    def verified(self, asked: Presented, now_ms: int) -> Signed | Denied:
        """Whether the platform signed this request."""
        return sign.verify(self.scheme, self.provider, asked, self.known, now_ms, self.window_ms, self.app_id)


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Who we are to them and how they show who they are: a token, a signature over the request, or both."""

    token: Token | None
    ours: str
    theirs: str
    signing: Signing | None

    def shown(self, method: str, url: URL, headers: dict[str, str], body: bytes) -> tuple[URL, dict[str, str]]:
        """The address and the headers of a call of ours."""
        if self.token is not None and self.token.place == "query":
            url = url.update_query({self.token.name: self.ours})
        if self.token is not None and self.token.place == "header":
            headers = {**headers, self.token.name: self.ours}
        return url, headers if self.signing is None else self.signing.headers(method, url, headers, body)

    def judge(self, asked: Presented, query: Mapping[str, list[str]], now_ms: int) -> Signed | Denied:
        """Whether a caller is the platform. A wrong token and none take the same time and have the same answer."""
        signed = Signed("", "", now_ms) if self.signing is None else self.signing.verified(asked, now_ms)
        if self.token is None:
            return signed
        if self.token.place == "query":
            given = query.get(self.token.name, [])
        else:
            given = [value for name, value in asked.headers if name.lower() == self.token.name.lower()]
        same = hmac.compare_digest((given or [""])[0].encode("utf-8", "surrogateescape"), self.theirs.encode())
        return signed if same and len(given) == 1 else BAD_TOKEN


def query_of(raw_query: str) -> dict[str, list[str]]:
    """The parameters of a query; none where it is no clean one."""
    try:
        return parse_qs(raw_query, keep_blank_values=True, strict_parsing=bool(raw_query), max_num_fields=20)
    except ValueError:
        return {}
