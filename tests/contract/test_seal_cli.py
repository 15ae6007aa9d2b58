"""``tongban seal`` from outside: make, stamp, show, verify; a report for clerks; exit codes; garbage ends in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing import certs, keys
from signing.issue import Revoked, build_crl
from signing.seal import parse_seal
from signing.sm3 import sm3
from tests import pki
from tests.contract.command import tongban
from tests.unit.signing.test_picture_look import png
from tests.vectors.seals import generate

pytestmark = pytest.mark.usefixtures("as_the_command_runs")

KEYS = {"ok", "kind", "version", "signature", "chain", "document", "window", "reasons"}
AT = ("--at", "2026-06-02")
DOCUMENT = "受理通知书\n".encode() * 40


def seal(*arguments: str) -> Result:
    return tongban("seal", *arguments)


def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = seal(*arguments, "--json")
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


def verdict(*arguments: str) -> tuple[int, dict[str, Any], list[str]]:
    code, data = answer("verify", *arguments)
    assert data.keys() >= KEYS and all(set(reason) == {"code", "text"} for reason in data["reasons"])
    return code, data, [reason["code"] for reason in data["reasons"]]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with certificates, keys, a seal made and a document stamped by the command."""
    monkeypatch.chdir(tmp_path)
    Path("root.pem").write_bytes(certs.to_pem(pki.root().certificate.der))
    for name, certificate in (("maker", generate.maker()), ("signer", generate.signer())):
        Path(f"{name}.pem").write_bytes(certs.to_pem(certificate.der))
        Path(f"{name}.key").write_bytes(keys.private_to_pem(pki.signer(name).private, None))
    Path("doc.txt").write_bytes(DOCUMENT)
    begins = ("--from", "2026-01-01")
    assert seal("make", *MAKE, *begins, "--days", "300", "--out", "s.esl").exit_code == 0
    assert seal("stamp", "doc.txt", *STAMP, "--at", "2026-06-01", "--out", "d.dat").exit_code == 0
    return tmp_path


MAKE = (
    "--name",
    "硚口区政务服务专用章",
    "--maker-cert",
    "maker.pem",
    "--maker-key",
    "maker.key",
    "--cert",
    "signer.pem",
)
STAMP = ("--seal", "s.esl", "--cert", "signer.pem", "--key", "signer.key", "--anchor", "root.pem")


def test_what_was_made_is_a_sample_and_verifies(house: Path) -> None:
    code, data, codes = verdict("s.esl", "--anchor", "root.pem", *AT)
    assert code == 0 and codes == [] and (data["kind"], data["version"]) == ("seal", "V4")
    assert (data["signature"], data["chain"], data["document"], data["window"]) == ("ok", "ok", "absent", "ok")
    made = parse_seal(Path("s.esl").read_bytes())
    assert (
        made.property.name == "硚口区政务服务专用章（样章·测试无效）" and "样章·测试无效" in made.picture.data.decode()
    )
    assert len(made.es_id) == 32


def test_a_stamp_fits_its_document_only(house: Path) -> None:
    trust = ("--anchor", "root.pem", *AT)
    code, data, codes = verdict("d.dat", "--document", "doc.txt", *trust)
    assert code == 0 and codes == [] and data["kind"] == "stamp" and data["document"] == "ok"
    assert data["stamp_time"] == "2026-05-31T16:00:00Z" and "CN=signer" in data["signer"]
    assert verdict("d.dat", "--digest", sm3(DOCUMENT).hex(), *trust)[0] == 0
    code, data, codes = verdict("d.dat", "--document", "root.pem", *trust)
    assert code == 1 and codes == ["document-digest"] and data["document"] == "failed"
    code, data, codes = verdict("d.dat", *trust)
    assert code == 2 and data["ok"] is None and codes == ["document-not-given"] and data["document"] == "absent"


def test_trust_windows_and_revocation(house: Path) -> None:
    document = ("--document", "doc.txt")
    code, data, codes = verdict("d.dat", *document, *AT)
    assert code == 1 and codes == ["signer-untrusted-root", "seal-maker-untrusted-root"] and data["signature"] == "ok"
    assert verdict("d.dat", *document, "--anchor", "root.pem", "--at", "2027-06-01")[0] == 0
    code, data, codes = verdict("s.esl", "--anchor", "root.pem", "--at", "2027-06-01")
    assert code == 1 and codes == ["seal-expired"] and data["window"] == "failed"
    for day, expected in ((pki.BORN, ["signer-revoked-before-stamping"]), (pki.DIES, ["signer-revoked-later"])):
        revoked = [Revoked(generate.signer().serial, day)]
        made = build_crl(pki.root(), number=1, this_update=pki.BORN, next_update=pki.DIES, revoked=revoked)
        Path("l.crl").write_bytes(made)
        lists = ("--crl", "l.crl", "--anchor", "root.pem", *AT)
        code, data, codes = verdict("d.dat", *document, *lists)
        assert codes == expected and code == (1 if day == pki.BORN else 2)
    assert verdict("d.dat", *document, *lists, "--accept-revoked-later")[0] == 0
    assert verdict("d.dat", *document, "--anchor", "root.pem", "--require-crl", *AT)[0] == 2


def test_C23_the_command_stamps_only_what_it_may(house: Path) -> None:
    Path("other.pem").write_bytes(certs.to_pem(pki.leaf("signer", serial=99).der))
    base = ("--seal", "s.esl", "--key", "signer.key", "--anchor", "root.pem", "--out", "x.dat")
    for arguments, reason in (
        (("--cert", "other.pem", *base, *AT), "not-in-certificate-list"),
        (("--cert", "signer.pem", *base, "--at", "2027-06-01"), "seal-expired"),
        (("--cert", "signer.pem", *base, "--at", "2035-06-01"), "signer-expired-at-stamping"),
        (("--cert", "signer.pem", *base[:4], "--out", "x.dat", *AT), "signer-untrusted-root"),
    ):
        code, data = answer("stamp", "doc.txt", *arguments)
        assert code == 1 and data["reason"] == reason and not Path("x.dat").exists()
    code, data = answer("stamp", "doc.txt", "--cert", "signer.pem", *base, "--require-crl", *AT)
    assert code == 2 and data["ok"] is None and data["reason"] == "signer-crl-missing"


@pytest.mark.parametrize("form", ["V1", "V4"])
def test_both_forms_from_making_to_verdict(house: Path, form: str) -> None:
    window = ("--from", "2026-01-01", "--form", form, "--id", "42010400000001")
    assert seal("make", *MAKE, *window, "--out", "f.esl").exit_code == 0
    assert seal("stamp", "doc.txt", *STAMP, "--seal", "f.esl", *AT, "--out", "f.dat").exit_code == 0
    code, data, _ = verdict("f.dat", "--document", "doc.txt", "--anchor", "root.pem", *AT)
    assert code == 0 and data["version"] == form and data["seal"]["id"] == "42010400000001"


def test_pictures_in_and_out(house: Path) -> None:
    picture = png()
    Path("p.png").write_bytes(picture)
    assert seal("make", *MAKE, "--picture", "p.png", "--width", "30", "--height", "20", "--out", "p.esl").exit_code == 0
    code, data = answer("show", "p.esl", "--picture-out", "q.png")
    assert code == 0 and data["seal"]["picture"] == {
        "type": "PNG",
        "width_mm": 30,
        "height_mm": 20,
        "bytes": len(picture),
    }
    assert Path("q.png").read_bytes() == picture
    for wrong in (
        b"no picture",
        picture[:40],
        picture + b"MZ",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='a()'/>",
    ):
        Path("p.png").write_bytes(wrong)
        assert seal("make", *MAKE, "--picture", "p.png", "--out", "x").exit_code == 65, "F04: a picture that is not one"


def test_a_clerk_reads_each_check(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("verify", "d.dat", "--document", "root.pem", *AT)
    text = seal(*arguments).stdout
    for line in (
        "✗ 电子签章无效",
        "✓ 签名值：通过",
        "✗ 证书与信任：未通过",
        "✗ 原文：未通过",
        "✓ 印章有效期：通过",
        "文件与签章不符",
    ):
        assert line in text
    monkeypatch.setenv("TONGBAN_LANG", "en")
    text = seal(*arguments).stdout
    assert "✗ the electronic stamp is not valid" in text and "✓ signatures: passed" in text
    assert "证" not in text.replace("样章·测试无效", "") and "shown, not verified" in seal("show", "d.dat").stdout


def test_show_tells_and_never_vouches(house: Path) -> None:
    code, data = answer("show", "d.dat")
    assert code == 0 and data["kind"] == "stamp" and data["stamp"]["data_hash"] == sm3(DOCUMENT).hex()
    assert data["seal"]["name"].startswith("硚口区") and data["stamp"]["property_info"] == "doc.txt"
    assert "（仅显示，未核验）" in seal("show", "s.esl").stdout


def test_what_a_seal_says_cannot_paint_over_the_screen(house: Path) -> None:
    assert seal("make", *MAKE, "--name", "好章\x1b[2J\u202e", "--out", "e.esl").exit_code == 0
    for act in ("show", "verify"):
        text = seal(act, "e.esl").stdout
        assert "\x1b" not in text and "\u202e" not in text and "\\1B" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify"],
        ["verify", "d.dat", "--document", "doc.txt", "--digest", "00" * 32],
        ["verify", "d.dat", "--digest", "00"],
        ["verify", "d.dat", "--digest", "zz" * 32],
        ["verify", "d.dat", "--at", "no time"],
        ["make", *MAKE, "--id", "编号", "--out", "x"],
        ["make", *MAKE, "--form", "V9", "--out", "x"],
        ["make", *MAKE, "--from", "9999-01-01", "--out", "x"],
        ["make", *MAKE, "--form", "V1", "--from", "2045-01-01", "--days", "9000", "--out", "x"],
        ["stamp", "doc.txt", *STAMP, "--property-info", "文件", "--out", "x"],
    ],
)
def test_wrong_usage_is_64(house: Path, arguments: list[str]) -> None:
    assert seal(*arguments).exit_code == 64
    assert not Path("x").exists()


def test_a_key_that_is_not_the_makers(house: Path) -> None:
    code, data = answer("make", *MAKE, "--maker-key", "signer.key", "--out", "x")
    assert code == 1 and data["reason"] == "key-mismatch"


NESTED = b"\x30\x84\x00\x00\x00\x00" * 5000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\x30\x80\x00\x00",
        bytes(8 << 20),
        NESTED,
        b"PK\x03\x04no package",
        b"\x30\x06\x02\x01\x01\x02\x01\x01",
    ],
)
def test_unreadable_input_is_65(house: Path, content: bytes) -> None:
    Path("bad").write_bytes(content)
    for arguments in (
        ["show", "bad"],
        ["verify", "bad"],
        ["verify", "d.dat", "--anchor", "bad"],
        ["stamp", "doc.txt", *STAMP, "--seal", "bad", "--out", "x"],
        ["stamp", "nowhere", *STAMP, "--out", "x"],
        ["verify", "d.dat", "--document", "nowhere"],
    ):
        result = seal(*arguments)
        assert result.exit_code == 65 and "Traceback" not in result.output
    code, data = answer("verify", "bad")
    assert code == 65 and data["ok"] is None


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_fuzzed_stamps_end_in_a_verdict(house: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["s.esl", "d.dat"]))
    original = Path(name).read_bytes()
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([0, 0, 0, 1, 30]))
    Path("fuzz").write_bytes(bytes(changed[: len(changed) - cut]))
    result = seal("verify", "fuzz", "--document", "doc.txt", "--anchor", "root.pem", *AT)
    assert result.exit_code in (1, 65) or (bytes(changed) == original and not cut)
    assert seal("show", "fuzz").exit_code in (0, 65)


def test_L08_a_time_stamp_decides_where_its_authority_is_believed(tmp_path: Path) -> None:
    folder = Path(generate.__file__).parent
    stamped = str(folder / "L08-good-revoked-later-timestamped.dat")
    given = ("--digest", generate.DIGEST.hex(), "--anchor", str(folder / "root.cert.der"), "--at", "2026-06-11")
    revoked = ("--crl", str(folder / "signer-after.crl.der"))
    code, data, codes = verdict(stamped, *given, *revoked)
    assert (code, codes) == (2, ["signer-revoked-later"])
    assert "timestamp-not-relied-on" in [note["code"] for note in data["notes"]]
    code, data, codes = verdict(stamped, *given, *revoked, "--tsa-anchor", str(folder / "tsa-root.cert.der"))
    assert (code, codes) == (0, []) and data["notes"][0]["code"] == "timestamp-relied-on"
    code, data, codes = verdict(stamped, *given, *revoked, "--tsa-anchor", str(folder / "root.cert.der"))
    assert (code, data["notes"][0]["code"]) == (2, "timestamp-bad")
