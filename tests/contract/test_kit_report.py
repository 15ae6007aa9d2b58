"""What ``kit run`` shows: exit codes, a page that needs nothing and runs nothing, and nothing of anybody in it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from adapters import samples
from adapters.kit.mask import Mask, restored, whole
from gateway.cli import root as command
from signing import keys
from tests.contract.kit_support import OURS
from tests.contract.platform_support import site
from tests.scan import scan

pytestmark = pytest.mark.usefixtures("as_the_command_runs")
SECRET = "licence-0123456789abcdef"


def kit(*words: object) -> Result:
    return CliRunner(env={"LANG": "zh_CN.UTF-8"}).invoke(command, ["kit", *map(str, words)], catch_exceptions=False)


async def echo(request: web.Request) -> web.Response:
    """The worst that a platform can say: all that it was told, in its own words."""
    body = await request.read()
    heard = {
        "code": "9",
        "msg": "<script>alert(1)</script>",
        "headers": dict(request.headers),
        "body": body.decode("latin-1"),
    }
    return web.json_response(heard, status=400)


async def tried(handler: Callable[[web.Request], object], folder: Path, *words: object) -> Result:
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{tail:.*}", handler)  # type: ignore[arg-type]
    async with site(app) as base:
        return await asyncio.to_thread(
            kit, "run", "--base-url", base, "--report", folder, "--oversize", 100_000, *words
        )


def own(folder: Path) -> list[object]:
    """Settings with a licence, and a key, as files."""
    (folder / "platform.toml").write_text(f'our_licence = "{SECRET}"\n')
    (folder / "k.pem").write_bytes(keys.to_pem("PRIVATE KEY", keys.pkcs8(OURS)))
    return ["--settings", folder / "platform.toml", "--key", folder / "k.pem"]


@pytest.mark.parametrize("profile", ["qiaokou", "honggutan", "guangzhou"])
async def test_P05_no_number_name_key_or_licence_gets_into_a_report(profile: str, tmp_path: Path) -> None:
    """P05, P01: also where the platform says everything back."""
    done = await tried(echo, tmp_path / "r", "--profile", profile, *own(tmp_path), "--json", "--record", tmp_path / "s")
    assert done.exit_code == 1
    assert scan((tmp_path / "s").read_bytes()) == set() and SECRET not in (tmp_path / "s").read_text("utf-8")
    card = json.loads(done.output.rstrip("\n").split("\n")[-1])
    assert card["ok"] is False and card["failed"] > 3
    found = [(tmp_path / "r" / name).read_text("utf-8") for name in ("report.html", "report.json")]
    for text in [*found, done.output]:
        assert scan(text.encode(), named=["测试甲", "测试路1号"]) == set()
        assert SECRET not in text and f"{OURS.d:064x}" not in text and samples.CITIZEN not in text


async def test_the_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    """What the platform says is text; the policy allows one style, by its digest."""
    await tried(echo, tmp_path / "r", "--profile", "qiaokou", *own(tmp_path))
    html = (tmp_path / "r" / "report.html").read_text("utf-8")
    assert "<script" not in html and "&lt;script&gt;" in html
    assert re.search(r"default-src &#39;none&#39;; style-src &#39;sha256-|default-src 'none'; style-src 'sha256-", html)
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?://(?!127\.0\.0\.1)", html)
    assert html.count('class="sides"') >= 5
    assert "我方请求" in html and "对方应答" in html


def test_nobody_there_is_cannot_tell(tmp_path: Path) -> None:
    done = kit("run", "--profile", "honggutan", "--base-url", "http://127.0.0.1:9/soap", "--report", tmp_path)
    assert done.exit_code == 2
    assert "没有人应答" in done.output
    assert "无从判断" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--profile", "no-such", "--base-url", "http://x"], 65),
        (["--profile", "qiaokou"], 64),
        (["--profile", "qiaokou", "--base-url", "http://127.0.0.1:9", "--steps", "nothing"], 64),
        (["--profile", "qiaokou", "--base-url", "http://127.0.0.1:9", "--settings", "/no/such"], 65),
        (["--profile", "qiaokou", "--base-url", "http://127.0.0.1:9", "--key", "/dev/null"], 65),
        (["--profile", "qiaokou", "--base-url", "http://127.0.0.1:9", "--sample", "what=/dev/null"], 65),
        (["--profile", "fujian_front", "--base-url", "http://127.0.0.1:9"], 65),
    ],
)
def test_wrong_words_and_unreadable_files_are_said(words: list[str], code: int) -> None:
    assert kit("run", *words).exit_code == code


def test_a_recording_holds_no_number_and_a_sample_comes_back_as_it_was() -> None:
    mask = Mask([SECRET])
    text = f'{{"zjhm":"{samples.CITIZEN}","sjh":"13800000000","xkz":"{SECRET}","a":"42010419900307123X","b":"13871234567"}}'
    kept = mask.kept(text)
    assert scan(kept.encode()) == set() and SECRET not in kept and not whole(kept)
    sample = f'{{"zjhm":"{samples.CITIZEN}","sjh":"13800000000"}}'
    assert restored(mask.kept(sample)) == sample and whole(mask.kept(sample))
