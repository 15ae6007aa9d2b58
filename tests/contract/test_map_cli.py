"""``tongban map`` and ``tongban adapter``: exit codes, the three keys of the contract, messages for what cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from adapters import samples
from gateway.cli import root
from schemas import codec
from schemas.xml import parse_xml
from tests.unit.adapters.support import PROFILES, ROOT, profile
from tests.unit.adapters.test_profiles import CASE


def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object of the last line, all output."""
    done = CliRunner().invoke(root, [*arguments, "--json"])
    lines = done.stdout.strip().splitlines()
    return done.exit_code, json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}, done.output


@pytest.fixture
def sample(tmp_path: Path) -> Any:
    def write(value: Any, name: str = "sample") -> str:
        path = tmp_path / name
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode())
        return str(path)

    return write


@pytest.mark.parametrize("name", ["qiaokou", "honggutan", str(PROFILES / "honggutan.toml")])
def test_check_of_a_bundled_profile_is_clean(name: str) -> None:
    code, data, _ = run("map", "check", name)
    assert (code, data["ok"], data["errors"]) == (0, True, [])
    assert set(data) >= {"output", "trace", "errors", "hints"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [('codec = "division:12"', 'codec = "division9"', "codec-unknown"),
     ('target = "purpose"', 'target = "porpoise"', "target-unknown"),
     ('table = "mode"', 'table = "modes"', "table-unknown"), ('source = "sxbb"', 'sauce = "sxbb"', "row-unreadable")],
)  # fmt: skip
def test_check_finds_and_names_a_defect(old: str, new: str, code: str, sample: Any) -> None:
    text = (PROFILES / "qiaokou.toml").read_text("utf-8")
    assert old in text
    exit_code, data, _ = run("map", "check", sample(text.replace(old, new, 1).encode(), "p.toml"))
    assert (exit_code, data["ok"]) == (1, False)
    assert code in {error["code"] for error in data["errors"]}
    assert all(error["where"].startswith("in.") for error in data["errors"])


def test_run_maps_a_message_of_the_platform(sample: Any) -> None:
    code, data, _ = run("map", "run", "qiaokou", sample(CASE), "--operation", "case")
    assert (code, data["errors"]) == (0, [])
    assert data["output"]["body"]["applicant"]["party"]["id_type"] == "111"
    assert (data["output"]["type"], data["output"]["case"]) == ("application", CASE["bjbh"])


def test_run_names_every_defect_of_a_message_without_its_values(sample: Any) -> None:
    bad = {**CASE, "sjsj": "昨天", "sqr": {**CASE["sqr"], "zjlx": "护照"}}
    code, data, output = run("map", "run", "qiaokou", sample(bad), "--operation", "case")
    assert (code, data["ok"], data["output"]) == (1, False, None)
    assert {error["path"] for error in data["errors"]} == {"sjsj", "sqr.zjlx"}
    assert "昨天" not in output


def test_trace_says_where_each_target_came_from(sample: Any) -> None:
    code, data, _ = run("map", "trace", "qiaokou", sample(CASE), "--operation", "case")
    assert code == 0
    rows = {row["target"]: row for row in data["trace"]}
    assert rows["body.mode"] == {"target": "body.mode", "source": "blfs", "rule": "in.application[5]", "codec": "",
                                 "code_row": "2=collect_elsewhere", "default": False}  # fmt: skip
    assert rows["body.materials[0].sm3"]["source"] == "cl[0].zy"


def test_a_soap_message_is_mapped_after_its_xsd(sample: Any) -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "soap" / "vectors.json").read_text("utf-8"))
    envelope = parse_xml(b64decode(next(v for v in vectors if v["name"] == "UTF-8")["body"]))
    from lxml import etree

    body = etree.tostring(envelope[-1][0], encoding="GBK")
    code, data, _ = run("map", "run", "honggutan", sample(body), "--operation", "BLHJ")
    assert (code, data["output"]["type"], data["output"]["local_number"]) == (0, "step", "HGT1")
    code, data, _ = run("map", "run", "honggutan", sample(body.replace(b"HJMC", b"HJMD")), "--operation", "BLHJ")
    assert (code, data["errors"][0]["code"]) == (1, "xsd-invalid")


def test_outwards_a_canonical_body_becomes_the_platforms_message(sample: Any) -> None:
    code, data, _ = run("map", "run", "honggutan", "--type", "application")
    assert code == 0
    assert data["output"]["xml"].startswith("<SubmitCase ")
    given = sample(codec.encode(samples.body("step")))
    code, data, _ = run("map", "trace", "qiaokou", given, "--type", "step")
    assert (code, data["output"]["lx"], data["output"]["nr"]["hj"]) == (0, "HJ", "审查")
    assert {"target": "lx", "source": "type", "code_row": "HJ=step"}.items() <= data["trace"][4].items()
    code, data, _ = run("map", "run", "honggutan", "--type", "decision")
    assert (code, data["errors"][0]["code"]) == (1, "type-not-mapped")


@pytest.mark.parametrize(
    "arguments",
    [("map", "check", "no-such"), ("map", "run", "qiaokou", "/no/such", "--operation", "case"),
     ("map", "run", "qiaokou", "--type", "nonsense"), ("adapter", "test", "no-such")],
)  # fmt: skip
def test_what_cannot_be_read_is_65_with_what_and_where(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(root, arguments)
    assert done.exit_code == 65
    assert done.stderr.strip()
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("name", "content"),
    [("not TOML", b"a = ["), ("not UTF-8", b"\xff"), ("no family", b"name = 'x'"), ("an unknown family", b"family = 'x'"),
     ("an incomplete head", b"family = 'soap'\nname = 'x'")],
)  # fmt: skip
def test_a_profile_that_cannot_be_read_is_65(name: str, content: bytes, sample: Any) -> None:
    code, _, output = run("map", "check", sample(content))
    assert code == 65
    assert "Traceback" not in output


def test_a_sample_that_is_no_message_is_65(sample: Any) -> None:
    assert run("map", "run", "qiaokou", sample(b"\x00"), "--operation", "case")[0] == 65
    assert run("map", "run", "honggutan", sample(b"<!DOCTYPE a><a/>"), "--operation", "BLHJ")[0] == 65
    assert run("map", "run", "qiaokou", sample({"form": 1}), "--type", "correction")[0] == 65


@pytest.mark.parametrize("arguments", [("map", "run", "qiaokou"), ("map", "run", "qiaokou", "--operation", "case")])
def test_wrong_usage_is_64(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", "gateway.cli", *arguments], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 64


def test_adapter_list_says_what_each_profile_is_and_is_not() -> None:
    code, data, _ = run("adapter", "list")
    assert code == 0
    rows = {row["name"]: row for row in data["profiles"]}
    assert (rows["qiaokou"]["family"], rows["qiaokou"]["division"]) == ("rest_signed", "420104")
    assert (rows["honggutan"]["family"], rows["honggutan"]["encoding"]) == ("soap", "gbk")
    assert all("非官方接口" in row["notice"] for row in rows.values())
    assert "application" in rows["qiaokou"]["in"]
    assert "application" in rows["honggutan"]["out"]


def test_adapter_list_shows_the_sharing_profiles_and_what_each_rests_on() -> None:
    code, data, _ = run("adapter", "list")
    rows = {row["name"]: row for row in data["sharing"]}
    assert code == 0 and {name: row["family"] for name, row in rows.items()} == {
        "guangdong-license": "license_app", "shandong-certshare": "cert_share", "shanghai-relay": "relay",
    }  # fmt: skip
    assert all("公开的" in row["basis"] and "非官方接口" in row["notice"] for row in rows.values())


@pytest.mark.parametrize("name", ["qiaokou", "honggutan"])
def test_adapter_test_scores_each_step(name: str) -> None:
    code, data, _ = run("adapter", "test", name)
    assert (code, data["passed"]) == (0, data["total"])
    assert {"name", "ok", "text", "detail"} <= set(data["steps"][0])


def test_adapter_test_names_the_step_that_fails(sample: Any) -> None:
    text = (PROFILES / "qiaokou.toml").read_text("utf-8").replace('"query", ', "", 1)
    code, data, _ = run("adapter", "test", sample(text.encode(), "p.toml"))
    assert (code, [step["name"] for step in data["steps"] if not step["ok"]]) == (1, ["signing"])


# --- a draft from two samples -----------------------------------------------------------------------------------------


def test_new_proposes_a_profile_that_checks_and_runs(sample: Any, tmp_path: Path) -> None:
    from adapters.profile import compile_profile

    act = profile("qiaokou").act("case", CASE)
    given, canonical, draft = (
        sample(CASE, "from.json"),
        sample(codec.encode(act.body), "to.json"),
        tmp_path / "draft.toml",
    )
    code, data, _ = run("map", "new", "--from", given, "--to", canonical, "--name", "new_city", "--out", str(draft))
    assert (code, data["differences"], data["missing"]) == (1, ["form.性别"], [])
    assert compile_profile(tomllib.loads(draft.read_text("utf-8"))).text.name == "new_city"
    assert CASE["sqr"]["zjhm"] not in draft.read_text("utf-8"), "a profile holds no personal data"
    ran, shown, _ = run("map", "run", str(draft), given, "--operation", "case")
    assert (ran, shown["output"]["body"]["applicant"]["party"]["id_type"]) == (0, "111")
    assert run("map", "new", "--from", given, "--to", canonical, "--out", str(draft))[0] == 65  # never over a file


def test_new_reads_an_xml_sample(sample: Any) -> None:
    from tests.unit.adapters.support import soap_translator

    wire = soap_translator().outbound(samples.outbound("application"))
    given = sample(b'<?xml version="1.0" encoding="GBK"?>' + wire.body, "from.xml")
    code, data, _ = run(
        "map", "new", "--from", given, "--to", sample(codec.encode(samples.body("application")), "to.json")
    )
    assert (code, data["differences"]) == (0, [])
    assert 'codec = "pairs:MC,Z"' in data["profile"]


def test_new_refuses_what_is_no_sample(sample: Any) -> None:
    good = sample(codec.encode(samples.body("step")), "to.json")
    for bad in (
        b"[]",
        b"{",
        b"<!DOCTYPE a><a/>",
        b"<a>text</a>",
        json.dumps({f"k{n}": n for n in range(3000)}).encode(),
    ):
        assert run("map", "new", "--type", "step", "--from", sample(bad, "bad"), "--to", good)[0] == 65
    assert (
        run("map", "new", "--type", "step", "--from", sample({"a": "b"}, "f"), "--to", sample({"a": 1}, "t"))[0] == 65
    )
    assert run("map", "new", "--type", "none", "--from", good, "--to", good)[0] == 2
