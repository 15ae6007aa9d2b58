"""The words of what is found wrong with an e-certificate beyond its seal: stable code -> Chinese, English."""

from __future__ import annotations

from typing import Final

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
}


def rejected(code: str) -> Rejected:
    """A finding that refuses the certificate."""
    return Rejected(code, *WORDS[code])


def note(code: str) -> Indeterminate:
    """A finding that is only remarked on."""
    return Indeterminate(code, *WORDS[code])
