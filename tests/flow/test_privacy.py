"""Nothing personal in logs, metrics, errors, headers or file names, whatever is handed in."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.flow.nodes import Running, Window
from tests.scan import scan, scan_files

NAME = "甄无名测试"


async def test_P01_P02_P03_nothing_personal_leaks(log_file: Path, a: Running, window: Window) -> None:
    good = window.papers()
    good["sqr"] |= {"xm": NAME, "dz": "测试市无名路9号"}
    number, mobile = good["sqr"]["zjhm"], good["sqr"]["sjh"]
    secrets = (NAME, number, mobile, "无名路9号")
    replies = [await window.hand_in(good)]
    for changes in (
        {"sxbm": "QX-TB-999"},
        {"bldq": "999999000000"},
        {"sjsj": NAME},
        {"cl": [{"mc": NAME}]},
        {"yt": NAME},
    ):
        replies.append(await window.hand_in(window.papers(sqr=good["sqr"]) | changes))
    replies.append(await window.hand_in(json.dumps(good).encode()[:-3]))
    replies.append(
        await window.hand_in(good | {"sqr": good["sqr"] | {"zjhm": number[:-1] + ("1" if number[-1] == "0" else "0")}})
    )
    assert {reply.status for reply in replies} >= {200, 400, 403}
    for reply in replies[1:]:
        assert not scan(reply.body, "error", secrets), reply.body
        assert not scan(repr(reply.headers).encode(), "headers", secrets)
    for path in ("/metrics", "/admin/v1/overview", "/healthz"):
        async with window.session.get(a.url("admin", path)) as answer:
            assert answer.status == 200
            assert not scan(await answer.read(), path, secrets)
    await asyncio.sleep(0.3)
    assert log_file.stat().st_size > 200, "nothing was logged, so nothing was shown"
    assert not scan_files([log_file], secrets)
    assert not [path for path in (a.side.folder / "data").rglob("*") if any(word in path.name for word in secrets)]


async def test_P04_a_traceback_in_the_log_keeps_its_frames_and_loses_its_values(log_file: Path) -> None:
    import structlog

    log = structlog.get_logger("x")
    try:
        raise ValueError(f"could not read {NAME} 11010519491231002X")
    except ValueError:
        log.exception("internal error", trace_id="abc", applicant=NAME)
    line = json.loads(log_file.read_text().splitlines()[-1])
    assert (
        line["trace_id"] == "abc"
        and "test_privacy.py" in line["exception"]
        and line["exception"].endswith("ValueError")
    )
    assert NAME not in json.dumps(line, ensure_ascii=False) and "applicant" not in line


async def test_P10_figures_are_not_on_the_other_listeners(a: Running, window: Window) -> None:
    for listener in ("exchange", "platform"):
        for path in ("/metrics", "/admin/v1/overview", "/healthz"):
            async with window.session.get(a.url(listener, path)) as answer:
                assert answer.status == 404
