"""The front guard: what every listener demands of a request before any handler sees it, and the form of every error.

Targets are judged as they stand on the wire (H04-H06): no absolute form, no encoded or dotted paths, HTTP/1.1 only.
Whatever goes wrong, the answer is one problem document with a trace id that is in our log, and never a traceback.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import HttpVersion11, web, web_response
from aiohttp.typedefs import Middleware

from gateway import problems
from gateway.ops import metrics
from gateway.problems import Refused
from signing.errors import KeyFault, Unavailable

log = structlog.get_logger("web")
TARGET = re.compile(r"/[0-9A-Za-z/._~%-]*(\?[0-9A-Za-z/._~%&=+:,-]*)?")
DOTS = re.compile(r"/\.\.?(/|$|\?)|%2[eEfF]|%5[cC]|%00|//")
BODY_DEADLINE_S = 30.0
TRACE = web.RequestKey("trace_id", str)
web_response.SERVER_SOFTWARE = "tongban"  # type: ignore[attr-defined]  # no versions for strangers (P03), also from the parser
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refuse = Callable[[web.Request, Refused], web.Response]


def problem(request: web.Request, refused: Refused) -> web.Response:
    """The refusal as ``application/problem+json``; the log line that its trace id finds holds no personal data."""
    trace = request[TRACE]
    status = problems.CATALOGUE[refused.code].status
    log.info("refused", trace_id=trace, code=refused.code, status=status, method=request.method)
    headers = {"Retry-After": "2"} if status == 503 else {}
    if "retry_after" in refused.extra:
        headers["Retry-After"] = str(refused.extra["retry_after"])
    if "offset" in refused.extra:
        headers["Upload-Offset"] = str(refused.extra["offset"])
    return web.Response(
        status=status,
        body=problems.encode(refused, trace),
        content_type="application/problem+json",
        charset="utf-8",
        headers=headers,
    )


def guard(listener: str, refuse: Refuse = problem, now: Callable[[], float] = time.perf_counter) -> Middleware:
    """The middleware of one listener; ``refuse`` puts a refusal into its form."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = now()
        trace = secrets.token_hex(8)
        request[TRACE] = trace
        try:
            _target(request)
            response = await handler(request)
        except Refused as refused:
            response = refuse(request, refused)
        except web.HTTPException as error:
            response = refuse(request, _of_http(error))
        except (asyncio.CancelledError, ConnectionResetError):
            raise
        except TimeoutError:
            response = refuse(request, Refused("TB-1012"))
        except (
            Unavailable,
            KeyFault,
        ) as error:  # a key that cannot sign now: nothing is lost, the caller comes again (L11)
            log.error("no key", trace_id=trace, code=error.code)
            response = refuse(request, Refused("TB-9004"))
        except web.RequestPayloadError:  # the body's framing broke while it was read (H02)
            response = refuse(request, Refused("TB-1001"))
        except Exception:
            log.exception("internal error", trace_id=trace)
            response = refuse(request, Refused("TB-9002"))
        metrics.REQUESTS.labels(listener, str(response.status)).inc()
        metrics.REQUEST_SECONDS.labels(listener).observe(now() - started)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return middleware


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole body, capped and within a deadline; ``Refused`` TB-1002 above the cap, TB-1012 if it trickles."""
    declared = request.content_length
    if declared is not None and declared > limit:
        raise Refused("TB-1002")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused("TB-1008")
    chunks, size = [], 0
    async with asyncio.timeout(BODY_DEADLINE_S):
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise Refused("TB-1002")
            chunks.append(chunk)
    return b"".join(chunks)


def _target(request: web.Request) -> None:
    raw = request.raw_path
    if request.version != HttpVersion11 or not TARGET.fullmatch(raw) or DOTS.search(raw):
        raise Refused("TB-1011")


def _of_http(error: web.HTTPException) -> Refused:
    known = {404: "TB-1009", 405: "TB-1010", 413: "TB-1002", 415: "TB-1008"}
    return Refused(known.get(error.status, "TB-1001"))
