"""C23, C24, F01 to F03 on e-certificates from outside: ``tongban seal verify`` and ``tongban ecert verify`` name each attack."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gateway.cli import root as tongban
from signing import certs, ecert_data
from signing.ofd.build import build_ofd
from signing.ofd.content import Document, Page
from signing.ofd.package_build import build_package
from signing.ofd.sign import finish, prepare
from signing.sm3 import sm3
from tests import pki
from tests.ecerts import sample
from tests.pki import BORN, DAY
from tests.vectors.ofd import generate
from tests.vectors.ofd.foreign import VECTORS
from tests.vectors.seals import generate as seals

Stamped = Callable[[bytes, str], bytes]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.exceptions.UsageError, "exit_code", 64)
    monkeypatch.delenv("TONGBAN_SM2_PROVIDER", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("root.pem").write_bytes(certs.to_pem(pki.root().certificate.der))


def certificate(value: Stamped) -> bytes:
    """An e-certificate whose stamp is made as told, over its digest and its place."""
    custom = ecert_data.write(sample(issuer_name="测试专用章（样章·测试无效）"))
    prepared = prepare(build_ofd(Document((Page(210, 297, ()),), custom=custom)), at=DAY)
    return build_package(finish(prepared, value(prepared.digest, prepared.property_info)))


def verdict(noun: str, data: bytes, *arguments: str) -> tuple[int, dict[str, Any], list[str]]:
    Path("d.ofd").write_bytes(data)
    trust = ("--anchor", "root.pem", "--at", "2026-06-11", *arguments, "--json")
    result = CliRunner().invoke(tongban, [noun, "verify", "d.ofd", *trust])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    found = json.loads(result.stdout.splitlines()[-1])
    return result.exit_code, found, [one["code"] for one in found.get("reasons", [])]


def _good(digest: bytes, place: str) -> bytes:
    return seals.stamp(digest=digest, info=place)


def _with(**how: Any) -> Stamped:
    """A stamp of another seal, signer or time."""
    return lambda digest, place: seals.stamp(digest=digest, info=place, **how)


def _maker_as_signer(digest: bytes, place: str) -> bytes:
    on = seals.seal(certificates=(seals.maker(),))
    return seals.stamp(on=on, by=seals.maker(), key="maker", digest=digest, info=place)


C23: dict[str, tuple[Stamped, str]] = {
    "seal expired at stamping": (_with(on=seals.seal(ends=DAY - timedelta(days=1))), "seal-expired"),
    "seal not yet valid at stamping": (_with(on=seals.seal(starts=DAY + timedelta(days=1))), "seal-not-yet-valid"),
    "signer not in the seal's list": (_with(on=seals.seal(certificates=(seals.maker(),))), "not-in-certificate-list"),
    "signer not in the seal's digest list": (_with(on=seals.digest_list(seals.maker())), "not-in-certificate-list"),
    "stamp before the signer's certificate": (_with(at=BORN - timedelta(days=1)), "signer-not-yet-valid-at-stamping"),
    "seal forged by another key": (_with(on=seals.seal(key="other")), "seal-signature"),
    "stamp forged by another key": (_with(key="other"), "stamp-signature"),
    "seal maker's certificate signs": (_maker_as_signer, "maker-as-signer"),
}
C24: dict[str, tuple[Stamped, str]] = {
    "another document's digest": (lambda _, place: seals.stamp(digest=sm3(b"x"), info=place), "document-digest"),
    "no digest at all": (lambda _, place: seals.stamp(digest=bytes(32), info=place), "document-digest"),
    "another place": (lambda digest, _: seals.stamp(digest=digest, info="/Doc_0/Signs/Sign_7/Signature.xml"), "property-info"),
    "no place": (lambda digest, _: seals.stamp(digest=digest, info=""), "property-info"),
}  # fmt: skip


@pytest.mark.parametrize("noun", ["seal", "ecert"])
def test_the_certificate_itself_is_good(noun: str) -> None:
    code, found, codes = verdict(noun, certificate(_good), *(["--allow-other-issuer"] if noun == "ecert" else []))
    assert (code, codes) == (0, []), found


@pytest.mark.parametrize("noun", ["seal", "ecert"])
@pytest.mark.parametrize("name", [*C23, *C24])
def test_C23_C24_a_stamp_that_may_not_count(noun: str, name: str) -> None:
    value, wanted = (C23 | C24)[name]
    code, found, codes = verdict(noun, certificate(value))
    assert code == 1 and found["ok"] is False and wanted in codes, found
    assert found["reason"] in codes


@pytest.mark.parametrize("noun", ["seal", "ecert"])
@pytest.mark.parametrize(
    ("list_", "code", "reason"),
    [
        ("signer-before.crl.der", 1, "signer-revoked-before-stamping"),
        ("signer-after.crl.der", 2, "signer-revoked-later"),
        ("maker-before.crl.der", 1, "seal-maker-revoked"),
    ],
)
def test_C23_revocation_before_the_stamp_and_after(noun: str, list_: str, code: int, reason: str) -> None:
    Path(list_).write_bytes(seals.lists()[list_])
    got, found, codes = verdict(noun, certificate(_good), "--crl", list_)
    assert got == code and reason in codes, found


@pytest.mark.parametrize("name", ["open-page", "open-annotation", "open-resource", "second-body", "version", "script"])
def test_C24_a_clerk_reads_what_a_file_that_nobody_signed_could_do(name: str) -> None:
    Path("d.ofd").write_bytes(VECTORS[name].data)
    trust = ("--anchor", "root.pem", "--at", "2026-06-11")
    text = CliRunner().invoke(tongban, ["seal", "verify", "d.ofd", *trust]).stdout
    code, found, codes = verdict("seal", VECTORS[name].data)
    (one,) = found["signatures"]
    assert code == 1 and codes == ["ofd-uncovered"] and one["exposed"][0]["path"] == one["uncovered"][0]
    assert f"{one['uncovered'][0]}（" in text and "结论：不能采信：包内有未受签名保护的文件" in text
    assert all(f"  · {path}  " in text for path in one["uncovered"]), "each file, not only the first few"
    assert text.splitlines()[-1].startswith("下一步：请出具单位重新出具") and found["conclusion"] in text


def test_a_clerk_reads_what_may_be_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found, _ = verdict("seal", VECTORS["rich"].data)
    assert found["conclusion"].endswith("可以采信。") and found["action"] == "无须另行处理。"
    _, found, _ = verdict("seal", VECTORS["open-page"].data, "--allow-uncovered")
    assert "所列未受保护的文件不可采信" in found["conclusion"]
    _, found, _ = verdict("seal", VECTORS["sign-bare-garbage-beside"].data)
    assert found["conclusion"].startswith("不能采信：包内有未受签名保护的文件")
    for name, word in (("encrypted", "解密"), ("sign-raw-rsa", "SM2"), ("list-of-all-files-alone", "已签章")):
        _, found, _ = verdict("seal", VECTORS[name].data)
        assert found["conclusion"].startswith("暂时不能下结论") and word in found["action"]
    monkeypatch.setenv("TONGBAN_LANG", "en")
    assert "--intermediate" in verdict("seal", VECTORS["sign-bare-certificate-of-another-beside"].data)[1]["action"]


@pytest.mark.parametrize("name", ["encrypted", "check-method-sha256", "sign-raw-rsa", "list-of-all-files-alone"])
def test_what_nobody_can_tell_is_2(name: str) -> None:
    code, found, codes = verdict("seal", VECTORS[name].data)
    assert code == 2 and found["ok"] is None and codes == list(VECTORS[name].codes)


@pytest.mark.parametrize(
    "name",
    [
        *("name-slip", "name-absolute", "name-drive", "name-nul", "name-device", "symlink"),  # F01
        *(
            "bomb-ratio",
            "bomb-total",
            "bomb-hidden",
            "overlapping-entries",
            "one-entry-twice",
            "too-many-entries",
        ),  # F02
        *("header-size-differs", "header-name-differs", "duplicate-name", "duplicate-by-case", "encrypted"),  # F03
    ],
)
def test_F01_F02_F03_archives_that_may_not_be_opened(name: str) -> None:
    """``tongban seal``: in test_seal_ofd_cli."""
    vector = generate.VECTORS[name]
    code, found, _ = verdict("ecert", vector.data)
    assert code == 65 and found["reason"] == vector.refused and found["ok"] is None


def test_a_pipe_or_a_folder_is_no_document(tmp_path: Path) -> None:
    result = CliRunner().invoke(tongban, ["seal", "verify", str(tmp_path), "--json"])
    assert result.exit_code == 65
    assert CliRunner().invoke(tongban, ["seal", "verify", "absent.ofd"]).exit_code == 65
