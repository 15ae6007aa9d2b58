"""Code tables and their check characters (代码集与校验).

* Citizen number 公民身份号码: GB 11643-1999, 18 characters, weights mod 11.
* Unified social credit code 统一社会信用代码 (USCC): GB 32100-2015, 18 characters, weights 3^i mod 31; the nine
  characters 9-17 are the organisation code of GB 11714 with a check of its own.
* Item code 事项编码: layouts seen in the field (12, 14, 31, 33, 55 characters); told apart by length, off by default.
* The code sets of GB/T 39046-2020 Annex A, and the document kinds of GA/T 2000.156 that the gateway itself reads.

A check answers with an :class:`Invalid` or ``None``; it never repeats the value.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from schemas.errors import Invalid

CITIZEN_ID: Final = "111"
"""GA/T 2000.156: resident identity card (居民身份证)."""
USCC: Final = "001"
"""Unified social credit code, as the e-certificate metadata of GB/T 36903 Annex A writes it."""

# GB/T 39046-2020 Annex A: code -> (Chinese, English)
ITEM_TYPES: Final = {
    "00": ("权力事项", "power item"), "01": ("行政许可", "licence"), "02": ("行政处罚", "penalty"),
    "03": ("行政强制", "coercion"), "04": ("行政征收", "levy"), "05": ("行政给付", "grant"),
    "06": ("行政检查", "inspection"), "07": ("行政确认", "confirmation"), "08": ("行政奖励", "reward"),
    "09": ("行政裁决", "ruling"), "10": ("其他行政权力", "other power"), "20": ("公共服务", "public service"),
}  # fmt: skip
EXERCISE_LEVELS: Final = {
    "1": ("国家级", "national"), "2": ("省级", "province"), "3": ("市级", "city"), "4": ("县级", "county"),
    "5": ("乡镇级", "town"), "6": ("村级", "village"), "7": ("分级管理", "graded"),
}  # fmt: skip
BODY_NATURES: Final = {
    "1": ("法定机关", "statutory"), "2": ("授权组织", "authorised"), "3": ("受委托组织", "entrusted"),
    "9": ("其他", "other"),
}  # fmt: skip
SERVED_PARTIES: Final = {
    "1": ("自然人", "natural person"), "2": ("企业法人", "enterprise"), "3": ("事业法人", "institution"),
    "4": ("社会组织法人", "social organisation"), "5": ("行政机关", "administrative body"), "6": ("其他组织", "other"),
}  # fmt: skip
CHANNELS: Final = {
    "1": ("窗口", "window"), "2": ("计算机端", "PC"), "3": ("移动端", "mobile"), "4": ("快递", "courier"),
    "9": ("其他", "other"),
}  # fmt: skip
CASE_TYPES: Final = {"1": ("即办件", "immediate"), "2": ("承诺件", "promised"), "9": ("其他", "other")}
SPECIAL_PROCEDURES: Final = {"1": ("延长审批", "extension"), "2": ("其他", "other")}
SATISFACTION: Final = {
    "1": ("非常满意", "very satisfied"), "2": ("满意", "satisfied"), "3": ("基本满意", "basically satisfied"),
    "4": ("不满意", "dissatisfied"), "5": ("非常不满意", "very dissatisfied"),
}  # fmt: skip
PARTY_KINDS: Final = {
    "person": "1", "enterprise": "2", "institution": "3", "social_organisation": "4", "administration": "5",
    "other": "6",
}  # fmt: skip
"""Our word for a served party -> its code in A.4."""

_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHARS: Final = "10X98765432"
_ID_FORM: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES: Final = {character: value for value, character in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
_ORG_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


def check_citizen_id(number: str) -> Invalid | None:
    """GB 11643-1999. Codes: ``citizen-id-format``, ``citizen-id-date``, ``citizen-id-check-digit``."""
    if not _ID_FORM.fullmatch(number):
        return Invalid(
            "citizen-id-format", "公民身份号码应为18位数字，末位可为大写X", "a citizen number has 18 digits, X last"
        )
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return Invalid("citizen-id-date", "公民身份号码第7至14位不是有效日期", "digits 7-14 are no date")
    total = sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False))
    if _ID_CHARS[total % 11] != number[17]:
        return Invalid("citizen-id-check-digit", "公民身份号码校验码不符", "the citizen number's check digit is wrong")
    return None


def uscc_check_char(first17: str) -> str:
    """The 18th character of a USCC. Raises KeyError for a character outside the alphabet of GB 32100."""
    total = sum(_USCC_VALUES[c] * w for c, w in zip(first17, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def check_uscc(code: str) -> Invalid | None:
    """GB 32100-2015. Codes: ``uscc-format``, ``uscc-check-digit``."""
    if len(code) != 18 or not all(c in _USCC_VALUES for c in code) or not code[2:8].isdigit():
        return Invalid(
            "uscc-format", "统一社会信用代码应为18位数字或大写字母（不含I、O、S、V、Z）",
            "a unified social credit code has 18 digits or capitals without I, O, S, V, Z",
        )  # fmt: skip
    if uscc_check_char(code[:17]) != code[17]:
        return Invalid("uscc-check-digit", "统一社会信用代码校验码不符", "the credit code's check character is wrong")
    return None


def org_check_char(first8: str) -> str:
    """The check character of the nine-character organisation code (GB 11714) inside a USCC."""
    total = sum(int(c, 36) * w for c, w in zip(first8, _ORG_WEIGHTS, strict=True))
    value = 11 - total % 11
    return "X" if value == 10 else "0" if value == 11 else str(value)


# length -> (name of the layout, form, where the embedded USCC begins or None)
_ITEM_LAYOUTS: Final = {
    12: ("国家清单主项", re.compile(r"[0-9]{11}[0-9Y]"), None),
    14: ("国家清单子项+业务办理项", re.compile(r"[0-9]{14}"), None),
    31: ("实施编码", re.compile(r"[0-9A-Z]{18}[1-7][0-9A-Z]{12}"), 0),
    33: ("业务办理项编码", re.compile(r"[0-9A-Z]{18}[1-7][0-9A-Z]{14}"), 0),
    55: (
        "省内基本编码-区划-序号-主体",
        re.compile(r"[0-9A-Z]{14}-[0-9]{12}-[0-9]{3}-[0-9A-Z]{18}-[0-9]-[0-9]{2}"),
        None,
    ),
}  # fmt: skip
_ITEM_55_USCC: Final = slice(32, 50)


def item_layout(code: str) -> str:
    """The Chinese name of the layout an item code follows, or ``""``: codes are kept as given whatever it is."""
    layout = _ITEM_LAYOUTS.get(len(code))
    return layout[0] if layout and layout[1].fullmatch(code) else ""


def check_item_code(code: str) -> Invalid | None:
    """Layout and embedded USCC of a national item code. For those who switch it on: local codes are ordinary."""
    if not item_layout(code):
        return Invalid(
            "item-code-layout", "事项编码不是已知的12、14、31、33、55位编制规则", "an item code of no known layout"
        )
    embedded = code[:18] if len(code) in (31, 33) else code[_ITEM_55_USCC] if len(code) == 55 else ""
    if embedded and check_uscc(embedded) is not None:
        return Invalid(
            "item-code-uscc", "事项编码内的统一社会信用代码校验码不符", "the credit code inside the item code is wrong"
        )
    return None
