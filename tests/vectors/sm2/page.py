"""docs/conformance.md from the committed results: only what was run, every wrong answer named by its class."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors.sm2.score import ACCEPTED, BAD, CRASH, EITHER, ERROR, PASS, REFUSED, UNSUPPORTED, WRONG
from tests.vectors.sm2.vectors import FILES, HERE, load, notes

RESULTS = HERE / "results"
ORDER = (
    "tongban-libcrypto", "tongban-tables", "tongban-pure", "openssl", "bouncycastle", "gmssl", "gmalg", "sm-crypto",
)  # fmt: skip
TITLES = {"signatures": "验签 Signatures", "ciphertexts": "解密 Ciphertexts", "keys": "密钥文件 Key files"}
WORDS = {
    ACCEPTED: "接受了无效 accepted but invalid", REFUSED: "拒绝了有效 refused but valid", WRONG: "答案不对 wrong answer",
    CRASH: "崩溃 crash",
}  # fmt: skip
# What has to be known about an adapter to read its column fairly.
REMARKS = {
    "openssl": (
        "EVP 接口；只有 DER 形式，裸值与 C1C3C2 不计。标识最长 8190 字节，标准容许 8191。",
        "EVP calls; DER forms only, raw ones are not counted. Its longest id is 8190 octets, where the standard allows 8191.",
    ),
    "bouncycastle": (
        "SM2Signer、SM2Engine 与 PublicKeyFactory；曲线是否为 SM2 由适配程序查看，如调用者所须。",
        "Which curve a key is on is looked at by the adapter, as a caller must.",
    ),
    "gmssl": (
        "公钥按其 README 去掉 04 给出；带 04 给出时首位为 0 或 4 的公钥（八分之一）会被改坏，标准附录示例也验不过。"
        "标识固定，无密钥文件。",
        "Keys are given without 04, as in its README: given with it, one key in eight is corrupted and the standard's own "
        "example fails. The id is fixed; no key files.",
    ),
    "gmalg": (
        "r、s 分开给出，无 DER。公钥是否在曲线上另有 `verify_pk`，不会自动调用：未先调用它的程序会接受构造的签名。",
        "r and s apart, no DER. Whether a key is on the curve is another call, `verify_pk`: who leaves it out accepts the "
        "forgeries.",
    ),
    "sm-crypto": (
        "标识是字符串，非 UTF-8 的不计；密文不带 04，由适配程序去掉。",
        "Ids are strings; the adapter takes the 04 off ciphertexts.",
    ),
}


def results() -> dict[str, dict[str, Any]]:
    """The committed results in the order of the table; each must be of the vectors as they are now."""
    found = {name: json.loads((RESULTS / f"{name}.json").read_text("utf-8")) for name in ORDER}
    for name, result in found.items():
        for file in FILES:
            count, vectors = sum(result["files"][file]["totals"].values()), len(load(file))
            assert count == vectors, f"{name}: {count} of {vectors} {file}: run results/run.sh"
    return found


def page() -> str:
    """The whole page."""
    return (
        "\n".join([*_head(), *_totals(), *_wrong(), *(line for file in FILES for line in _matrix(file)), *_again()])
        + "\n"
    )


def _head() -> Iterator[str]:
    counts = {file: Counter(one.result for one in load(file)) for file in FILES}
    yield "# SM2 符合性 Conformance"
    yield ""
    yield (
        "同一组检测向量（[tests/vectors/sm2](../tests/vectors/sm2/README.md)）下各实现的表现。只列实际运行过的；每一类错误都写明。"
        "How implementations do on one set of vectors. Only what was run; every class of error is named."
    )
    yield ""
    yield "| 向量 Vectors | 应接受 valid | 应拒绝 invalid | 两可 acceptable |"
    yield "|---|---|---|---|"
    for file, found in counts.items():
        yield f"| {TITLES[file]} | {found['valid']} | {found['invalid']} | {found['acceptable']} |"
    yield ""
    yield (
        "向量由教科书算法生成，与本项目的代码无关；向量之外的错误查不出来，全对不等于安全（例如不查随机数与侧信道）。"
        "Made by textbook arithmetic that shares nothing with our code. What no vector asks is not found: a clean column is no "
        "proof of security (nonces and side channels are not looked at)."
    )
    yield ""


def _totals() -> Iterator[str]:
    yield "## 总表 Totals"
    yield ""
    yield "每格：对 / 计入的条数；「异」为以异常拒绝（算对）。Right / counted; 异: refused by an error, which counts as right."
    yield ""
    yield "| 实现 Implementation | " + " | ".join(TITLES[file] for file in FILES) + " |"
    yield "|---|" + "---|" * len(FILES)
    for result in results().values():
        yield (
            f"| {result['implementation']} | "
            + " | ".join(_total(result["files"][file]["totals"]) for file in FILES)
            + " |"
        )
    yield ""
    for name, remark in REMARKS.items():
        yield f"- {results()[name]['implementation']}：{''.join(remark)}"
    yield ""


def _total(totals: dict[str, int]) -> str:
    right = totals.get(PASS, 0) + totals.get(ERROR, 0)
    counted = sum(totals.values()) - totals.get(UNSUPPORTED, 0) - totals.get(EITHER, 0)
    if not counted:
        return "无此功能 none"
    errors = f"，异 {totals[ERROR]}" if ERROR in totals else ""
    return f"{'✓' if right == counted else '✗'} {right} / {counted}{errors}"


def _wrong() -> Iterator[str]:
    yield "## 错在哪里 What went wrong"
    yield ""
    for result in results().values():
        lines = [
            f"| {TITLES[file]} | {WORDS[worth]} | {flag} | {counts[worth]} | {notes(file)[flag]['description_zh']} "
            f"{notes(file)[flag]['description']} |"
            for file in FILES
            for flag, counts in result["files"][file]["flags"].items()
            for worth in BAD
            if worth in counts
        ]
        yield f"### {result['implementation']}"
        yield ""
        if not lines:
            yield "没有错。Nothing."
        else:
            yield from (
                "| 文件 File | 错误 Error | 标记 Flag | 条数 Count | 含义 Meaning |",
                "|---|---|---|---|---|",
                *lines,
            )
        yield ""


def _matrix(file: str) -> Iterator[str]:
    found = {
        name: result for name, result in results().items() if set(result["files"][file]["totals"]) != {UNSUPPORTED}
    }
    yield f"## {TITLES[file]}：逐类 By defect"
    yield ""
    yield (
        "✓ 全对 all right；✓异 全拒绝但有异常 refused, some by an error；✗n 有 n 条错 n wrong；"
        "± 两可 left open；– 无此功能 no such function。"
    )
    yield ""
    yield "| 标记 Flag | 目录 Row | 含义 Meaning | " + " | ".join(found) + " |"
    yield "|---|---|---|" + "---|" * len(found)
    for flag, note in sorted(notes(file).items(), key=lambda pair: (pair[1]["row"], pair[0])):
        cells = (_cell(result["files"][file]["flags"][flag]) for result in found.values())
        yield (
            f"| {flag} | {note['row'] or '—'} | {note['description_zh']} {note['description']} | "
            + " | ".join(cells)
            + " |"
        )
    yield ""


def _cell(counts: dict[str, int]) -> str:
    bad = sum(counts.get(worth, 0) for worth in BAD)
    if bad:
        return f"✗{bad}"
    if PASS not in counts and ERROR not in counts:
        return "±" if EITHER in counts else "–"
    return "✓异" if ERROR in counts else "✓"


def _again() -> Iterator[str]:
    yield from (
        "## 一万把随机密钥 Ten thousand random keys",
        "",
        "随机密钥，双向：本方签、OpenSSL 验，OpenSSL 签、本方验，改动一位须拒绝。10,000 把，不符 0。",
        "OpenSSL 在另一进程里自己算 Z_A、SM3 与 DER。Random keys both ways against OpenSSL 3.0.19, which runs in a process of its",
        "own and does Z_A, SM3 and DER itself; a changed bit must be refused. 10,000 keys, 0 mismatches:",
        "",
        "    ./run test tests/contract/test_many_keys.py::test_S22_ten_thousand_keys_both_ways",
        "",
        "## 证书与电子印章 Certificates and seals",
        "",
        "证书链按缺陷与 OpenSSL 4、BouncyCastle 逐条对照：[conformance-certificates.md](conformance-certificates.md)。",
        "电子印章与签章的向量在 [tests/vectors/seals](../tests/vectors/seals)，`index.json` 逐条写明应得的结论；",
        "目前只有本项目判断过，所以没有表。",
        "Certificate chains are held against OpenSSL 4 and BouncyCastle on a page of their own. Seals and stamps by defect are in",
        "tests/vectors/seals, with the verdict each must get; none but ours has judged them yet, so there is no table.",
        "",
        "## 重做 To repeat",
        "",
        "    PATH=$PWD/.venv/bin:$PATH sh tests/vectors/sm2/results/run.sh",
        "    .venv/bin/python docs/generate.py",
        "",
        "检测自己的实现见 [tests/vectors/sm2/README.md](../tests/vectors/sm2/README.md)。There is told how to score your own.",
    )


def write(folder: Path) -> None:
    """The page into the documentation's folder."""
    (folder / "conformance.md").write_text(page(), "utf-8")
