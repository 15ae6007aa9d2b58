"""Where OpenSSL 4 or BouncyCastle give another verdict than ours on the committed chains: who is right, and why.

``tests/contract/test_foreign_chains.py`` holds both libraries to exactly these rows: a row too many or too few fails.
``python -m tests.vectors.certs.disagreements`` writes docs/conformance-certificates.md from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.sizes import ROOT
from tests.vectors.certs.generate import CHAINS

PAGE = ROOT / "docs" / "conformance-certificates.md"
Right = Literal["ours", "policy", "both"]


@dataclass(frozen=True)
class Disagreement:
    """``policy``: neither is wrong, ours follows a setting that the other lacks; ``both``: the standard leaves it open."""

    right: Right
    zh: str
    en: str
    cases: tuple[str, ...]


OF_FORM = ("RFC 5280 4.1.2 的格式规则，对方不查", "rules of form of RFC 5280 4.1.2 that the other does not check")
USAGE = ("用途由调用者另查，库本身不查", "usage is left to the caller there")
TWO_TIMES = (
    "对方只有一个时刻；我们按签署时刻判断，名单的新旧按现在判断",
    "they know one moment; we judge as of signing, and the age of lists as of now",
)
GRACE = ("名单过期后的宽限期是设置", "the grace of a stale list is a setting")
FIRST_LIST = ("对方只看第一份名单；任何一份列出即为吊销", "they look into one list; a listing in any of them revokes")
NO_NEXT = ("RFC 5280 5.1.2.5 要求写下次更新时间", "RFC 5280 5.1.2.5 demands nextUpdate")
PARTITION = ("分片名单的处理是设置", "how partitions count is a setting")
WILDCARD = (
    "通配符可代表被排除的主机",
    "the wildcard may stand for the excluded host",
)
LOOSE = (
    "约束写法不合 RFC 5280 4.2.1.10，对方当作没有或另作解释",
    "constraints against RFC 5280 4.2.1.10 that they pass over or read their own way",
)
UNJUDGED = (
    "不处理的约束形式：无此类名称时标准允许接受，我们一律拒绝",
    "a form of constraint not judged: may be accepted while no such name occurs; we always refuse",
)
COSTLY = ("名称乘约束过多，我们设上限", "names times constraints without a bound there")
SM2_ONLY = ("只认 SM2（策略 C21）", "SM2 only, by policy (C21)")
WEAK = ("弱算法或弱密钥，对方默认放行", "weak algorithms or keys that they let pass by default")
DEPTH = ("链长上限是设置（8 张）", "the length of a chain is a setting (8)")
ANCHOR = (
    "RFC 5280 6.2 不强制判断信任锚本身；我们也判断",
    "RFC 5280 6.2 leaves the anchor itself unjudged; we judge it too",
)

OPENSSL: tuple[Disagreement, ...] = (
    Disagreement(
        "ours",
        *OF_FORM,
        (
            *(
                "C02 form",
                "C14 serial",
                "C14 serial of 21 octets",
                "C14 serial below zero",
                "C14 subject",
                "C14 issuer",
            ),
            *("C14 name", "C15 parameters"),
        ),
    ),
    Disagreement(
        "both",
        *USAGE,
        (
            "C05 encryption certificate",
            "C05 extended usage, critical, another purpose",
            "C05 extended usage asked for, another there",
        ),
    ),
    Disagreement("policy", *TWO_TIMES, ("C03 revoked after the moment judged",)),
    Disagreement("policy", *GRACE, ("C03 stale, in grace",)),
    Disagreement("ours", *FIRST_LIST, ("C03 revoked by one of two lists",)),
    Disagreement("ours", *NO_NEXT, ("C03 no next update",)),
    Disagreement("policy", *PARTITION, ("C03 partition, refused by policy", "C03 partition, complete by policy")),
    Disagreement("ours", *WILDCARD, ("C11 dns wildcard that covers an excluded host",)),
    Disagreement(
        "ours",
        *LOOSE,
        (
            *("C11 dns leading period", "C11 dns name that is none", "C11 uri with an address", "C11 on the leaf"),
            *("C11 nothing in it", "C11 an empty tree"),
        ),
    ),
    Disagreement("both", *UNJUDGED, ("C11 form not judged: registered id", "C11 form not judged: other name")),
    Disagreement("ours", *COSTLY, ("C11 more names than can be compared",)),
    Disagreement("policy", *DEPTH, ("C13 under seven authorities",)),
    Disagreement(
        "ours",
        "对方取第一个候选颁发者，不回头再试",
        "they take the first candidate issuer and do not turn back",
        ("C13 twenty authorities of one key, one of them real", "C13 three that certify one another"),
    ),
    Disagreement(
        "both",
        "对方处理证书策略；我们不处理，故拒绝关键的策略约束",
        "they process certificate policies; we do not, and therefore refuse critical policy constraints",
        ("C12 policy constraints",),
    ),
    Disagreement("policy", *SM2_ONLY, ("C21 leaf by RSA-2048", "C21 authority by RSA-2048")),
    Disagreement(
        "ours",
        *WEAK,
        (
            *("C22 authority by RSA-1024 and SHA-1", "C22 authority by RSA-1024 and MD5"),
            *("C22 authority by RSA-2048 and SHA-1", "C22 leaf by RSA-2048 and SHA-1"),
            *("C22 a root of RSA-1024 itself", "C22 RSA-1024 key certified with SM2"),
        ),
    ),
)
BOUNCY_CASTLE: tuple[Disagreement, ...] = (
    Disagreement(
        "ours",
        *OF_FORM,
        (
            *("C02 form", "C02 fraction of a second", "C14 serial", "C14 serial of 21 octets", "C14 serial below zero"),
            *("C14 subject", "C14 name"),
        ),
    ),
    Disagreement(
        "both",
        *USAGE,
        (
            *("C05 encryption certificate", "C05 key usage empty", "C05 extended usage, critical, another purpose"),
            *("C05 extended usage asked for, another there", "C05 key usage of zero bits only"),
        ),
    ),
    Disagreement(
        "policy",
        "密钥用途末尾有多余的零位不合 DER（X.690 11.2.2），现有 CA 却这样写：我们照读并注明，对方找不到这个签发者",
        "zero bits that end a key usage are not DER (X.690 11.2.2) but are written: we read and note them, they find no issuer",
        ("C05 key usage of an authority with zero bits at its end",),
    ),
    Disagreement(
        "both",
        *ANCHOR,
        (
            *("C01 root", "C02 root", "C10 path length 0 on the root", "C11 on the anchor"),
            "C13 mesh of four under an expired root",
        ),
    ),
    Disagreement("policy", *TWO_TIMES, ("C03 revoked after the moment judged",)),
    Disagreement("policy", *GRACE, ("C03 stale, in grace",)),
    Disagreement("ours", "对方不查名单的签发时间在将来", "they do not mind a list dated in the future", ("C03 early",)),
    Disagreement("ours", *FIRST_LIST, ("C03 revoked by one of two lists",)),
    Disagreement("ours", *NO_NEXT, ("C03 no next update",)),
    Disagreement(
        "ours",
        "RFC 5280 5.3：有不认识的关键条目扩展的名单不得使用，对方只看本证书的条目",
        "RFC 5280 5.3: a list with an unknown critical entry extension must not be used; they look at one entry only",
        ("C03 unknown critical extension of an entry",),
    ),
    Disagreement(
        "both",
        "间接名单：对方处理，我们不处理故不用",
        "indirect lists: they process them, we do not and set them aside",
        ("C03 indirect", "C03 indirect by its entries"),
    ),
    Disagreement("policy", *PARTITION, ("C03 partition, refused by policy", "C03 partition, complete by policy")),
    Disagreement(
        "ours",
        "空的域名约束覆盖一切域名（任何域名都由它左加标签而成），对方当作不覆盖",
        "an empty DNS constraint covers every name (labels added on the left); there it covers none",
        ("C11 dns permitted, all", "C11 dns excluded, all"),
    ),
    Disagreement("ours", *WILDCARD, ("C11 dns wildcard that covers an excluded host",)),
    Disagreement(
        "ours",
        *LOOSE,
        (
            *("C11 dns leading period", "C11 uri with an address", "C11 on the leaf", "C11 minimum"),
            *("C11 nothing in it", "C11 an empty tree"),
        ),
    ),
    Disagreement("both", *UNJUDGED, ("C11 form not judged: other name",)),
    Disagreement("ours", *COSTLY, ("C11 more names than can be compared",)),
    Disagreement("policy", *DEPTH, ("C13 under seven authorities",)),
    Disagreement("policy", *SM2_ONLY, ("C21 leaf by RSA-2048",)),
    Disagreement(
        "ours",
        *WEAK,
        (
            "C22 leaf by RSA-2048 and SHA-1",
            "C22 a root of RSA-1024 itself",
            "C22 RSA-1024 key certified with SM2",
        ),
    ),
)
WHO = {"ours": "我们 ours", "policy": "策略不同 policy", "both": "标准未定 left open"}


def names(table: Sequence[Disagreement]) -> list[str]:
    """The cases of a table."""
    return [case for row in table for case in row.cases]


def page() -> str:
    """docs/conformance-certificates.md."""
    lines = [
        "# 证书链：与别家实现的对照 Certificate chains held against other implementations",
        "",
        "由 `python -m tests.vectors.certs.disagreements` 生成，勿手改。",
        "Generated; a contract test holds both libraries to these tables row by row.",
        "",
        f"`tests/vectors/certs/cases.json` 中 {len(CHAINS)} 条按缺陷命名的证书链，逐条由本项目、OpenSSL 4（pyOpenSSL）与"
        " BouncyCastle（CertPathBuilder）判断。“接受”以外一律算“不接受”。",
        f"{len(CHAINS)} chains named by defect, each judged by ours, by OpenSSL 4 through pyOpenSSL and by BouncyCastle's"
        " CertPathBuilder; all that is not accepted counts as refused.",
    ]
    for title, table in (("OpenSSL 4", OPENSSL), ("BouncyCastle", BOUNCY_CASTLE)):
        agreed = len(CHAINS) - len(names(table))
        lines += [
            "",
            f"## {title}",
            "",
            f"一致 {agreed}，不一致 {len(names(table))}。Same verdict {agreed}, other verdict ",
        ]
        lines[-1] += f"{len(names(table))}."
        lines += ["", "| 谁对 Who is right | 缘由 Why | 用例 Cases |", "|---|---|---|"]
        lines += [f"| {WHO[row.right]} | {row.zh}。{row.en}. | {'; '.join(row.cases)} |" for row in table]
    lines += [
        "",
        "另见 Seen besides: “C13 mesh of seven without a root”，BouncyCastle 五秒内不作答（候选链呈阶乘增长），我们以"
        " `path-limit` 结束。BouncyCastle gives no answer to it within five seconds (factorially many candidates); ours"
        " ends with `path-limit`.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
