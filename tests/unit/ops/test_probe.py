"""One HTTP call of an operator's tool: whatever happens is a value, and nothing is followed, trusted or waited for long."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.ops import access, probe
from gateway.ops.checks import expiry


@contextmanager
def answering(answer: bytes | Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says one thing to one caller."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(2)


def test_an_answer_is_read_whole() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nhi") as url:
        found = probe.call("GET", url + "/x?y=1")
    assert (found.status, found.body) == (200, b"hi") and found.skew_s is not None and found.skew_s < -1e9


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\xff\xff garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"]
)
def test_garbage_and_cut_answers_are_no_answer(answer: bytes) -> None:
    with answering(answer) as url:
        found = probe.call("GET", url, seconds=2)
    assert found.status == 0 and found.reason


def test_a_redirect_is_not_followed() -> None:
    with answering(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") as url:
        assert probe.call("GET", url).status == 302


def test_a_large_answer_is_cut() -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n" + bytes(probe.LIMIT + 4096))

    with answering(pour) as url:
        assert len(probe.call("GET", url).body) == probe.LIMIT


def test_one_that_stays_silent_is_given_up() -> None:
    started = time.monotonic()
    with answering(lambda _: time.sleep(1.5)) as url:
        found = probe.call("GET", url, seconds=0.3)
        spent = time.monotonic() - started
    assert found.reason == "TimeoutError" and spent < 1.4


@pytest.mark.parametrize("url", ["ftp://x/", "file:///etc/passwd", "http://", "http://h:99999/", "nonsense", ""])
def test_what_is_no_address_is_said_to_be_none(url: str) -> None:
    assert probe.call("GET", url, seconds=0.2).status == 0
    assert probe.reachable(url or "http://127.0.0.1:1", 0.2)


def test_a_date_that_is_none_tells_no_skew() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: yesterday\r\n\r\n") as url:
        assert probe.call("GET", url).skew_s is None


def test_the_access_record_only_grows_and_follows_no_link(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    access.record(log, "case-1", "事由一")
    access.record(log, "case-2", "事由\n二")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["what"] for line in lines] == ["case-1", "case-2"] and lines[1]["reason"] == "事由\n二"
    (tmp_path / "link").symlink_to(log)
    with pytest.raises(OSError):
        access.record(tmp_path / "link", "case-3", "事由")


@pytest.mark.parametrize(("days", "level"), [(-1, "fail"), (0, "warn"), (29, "warn"), (30, "ok"), (4000, "ok")])
def test_the_last_thirty_days_warn(days: int, level: str) -> None:
    assert expiry("x", ("证书", "certificate"), days, ("换", "renew")).level == level
