"""The words of what is found wrong with an e-certificate beyond its seal: stable code -> Chinese, English."""

from __future__ import annotations

from typing import Final

from signing import names
from signing.errors import Indeterminate, Rejected
from signing.reasons import Words

WORDS: Final[dict[str, Words]] = {
    "ecert-id-root": ("证照标识的根码不是 1.2.156.3005.2", "the identifier's root is not 1.2.156.3005.2"),
    "ecert-id-type": (
        "证照标识的类型代码不是18位统一社会信用代码加3位序号",
        "the identifier's type code is not a credit code of 18 and a number of 3",
    ),
    "ecert-id-issuer": (
        "证照标识的颁发机构代码不是18位统一社会信用代码",
        "the identifier's issuer is not a credit code of 18",
    ),
    "ecert-id-serial": ("证照标识的流水号含数字与大写字母以外的字符", "the identifier's serial has other characters"),
    "ecert-id-version": ("证照标识的版本不是三位数字（从001起）", "the identifier's version is not 001 to 999"),
    "ecert-id-check": ("证照标识的校验位不符", "the identifier's check character is wrong"),
    "ecert-id-form": ("证照标识不成六段，无法核对", "the identifier has no such parts and cannot be checked"),
    "ecert-id-other-type": ("证照标识中的类型代码与元数据不同", "identifier and metadata name different types"),
    "ecert-id-other-issuer": ("证照标识中的颁发机构与元数据不同", "identifier and metadata name different issuers"),
    "ecert-data-missing": ("元数据不全：缺 {detail}", "metadata are missing: {detail}"),
    "ecert-unprotected": ("证照元数据未受签章保护", "no seal covers the certificate's metadata"),
    "ecert-issuer-seal": (
        "签章人和印章都不是证照所称的颁发机构",
        "neither seal nor signer is the issuer that it names",
    ),
    "ecert-expired": ("证照已过有效期", "the certificate has expired"),
    "ecert-not-yet-valid": ("证照尚未生效", "the certificate is not valid yet"),
    "ecert-copy-expired": ("加注件已过使用期限", "the annotated copy is past its time"),
    "ecert-copy": ("这是加注件，只供：{detail}", "an annotated copy, only for: {detail}"),
    "ecert-permits-lapsed": ("部分许可当前不在有效期内：{detail}", "permits that are not valid now: {detail}"),
}


def rejected(code: str) -> Rejected:
    """A finding that refuses the certificate."""
    return Rejected(code, *WORDS[code])


def note(code: str, detail: str = "") -> Indeterminate:
    """A finding that is only remarked on."""
    shown = names.escape(detail)
    zh, en = WORDS[code]
    return Indeterminate(code, zh.format(detail=shown), en.format(detail=shown))
