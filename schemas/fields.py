"""The constrained field types of the canonical form: lengths, forms, and the sentence that says what is allowed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta

# A pattern ends with "$(?!\n)": Python's "$" alone would let a last line feed pass.
_LINE: Final = r"^(?:\S(?:[^\n\t]*\S)?)?$(?!\n)"
_PROSE: Final = r"^\s*\S[\s\S]*$"
_NO_OR_PROSE: Final = r"^(?:\s*\S[\s\S]*)?$"
_LINE_SAYS: Final = {"zh": "单行文字，首尾无空白", "en": "one line without blanks at its ends"}
_PROSE_SAYS: Final = {"zh": "文字，不能全是空白", "en": "text that is not only blanks"}

Line = Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE, extra=_LINE_SAYS)]
LongLine = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE, extra=_LINE_SAYS)]
OptionalLine = Annotated[str, Meta(max_length=200, pattern=_LINE, extra=_LINE_SAYS)]
Prose = Annotated[str, Meta(min_length=1, max_length=4000, pattern=_PROSE, extra=_PROSE_SAYS)]
OptionalProse = Annotated[str, Meta(max_length=4000, pattern=_NO_OR_PROSE, extra=_PROSE_SAYS)]
FormKey = Annotated[str, Meta(min_length=1, max_length=64, pattern=_LINE, extra=_LINE_SAYS)]
Number = Annotated[str, Meta(min_length=1, max_length=50, pattern=_LINE, extra=_LINE_SAYS)]
Digest = Annotated[
    str,
    Meta(
        min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}$(?!\n)", title="SM3摘要",
        extra={"zh": "64位小写十六进制", "en": "64 lowercase hex digits"},
    ),
]  # fmt: skip
DivisionCode = Annotated[
    str,
    Meta(
        min_length=6, max_length=6, pattern=r"^[0-9]{6}$(?!\n)", extra={"zh": "6位数字区划代码", "en": "six digits"},
    ),
]  # fmt: skip
ItemCode = Annotated[
    str,
    Meta(
        min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$(?!\n)", title="事项编码",
        extra={"zh": "字母、数字、点、横线，最长64位", "en": "letters, digits, dots and dashes, at most 64"},
    ),
]  # fmt: skip
IdNumber = Annotated[
    str,
    Meta(
        min_length=1, max_length=32, pattern=r"^[0-9A-Za-z][0-9A-Za-z()-]*$(?!\n)",
        extra={"zh": "半角字母与数字，最长32位", "en": "ASCII letters and digits, at most 32"},
    ),
]  # fmt: skip
Phone = Annotated[
    str,
    Meta(
        max_length=20, pattern=r"^(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}|\+[0-9]{6,15})?$(?!\n)",
        extra={"zh": "11位手机号、带区号的固定电话或国际号码", "en": "a mobile, a landline or an international number"},
    ),
]  # fmt: skip
Moment = Annotated[datetime, Meta(tz=True, extra={"zh": "带Z的UTC时间", "en": "a UTC time ending in Z"})]
Mode = Literal["full_online", "collect_elsewhere", "joint", "self_service", "data_sharing"]
MODES: Final = {
    "full_online": "全程网办", "collect_elsewhere": "异地代收代办", "joint": "多地联办",
    "self_service": "自助通办", "data_sharing": "数据共享",
}  # fmt: skip
PartyKind = Literal["person", "enterprise", "institution", "social_organisation", "administration", "other"]
IdentityCheck = Literal["id_card_reader", "face", "sight", "remote_video", "online_login", "signature"]
IDENTITY_CHECKS: Final = {
    "id_card_reader": "读卡核验", "face": "人脸核验", "sight": "目视核对", "remote_video": "远程视频核验",
    "online_login": "统一身份认证", "signature": "签收",
}  # fmt: skip
SpecialKind = Literal[
    "extension", "hearing", "tender", "auction", "inspection", "testing", "quarantine", "appraisal", "expert_review",
    "site_visit", "other",
]  # fmt: skip
SPECIAL_KINDS: Final = {
    "extension": "延长审批", "hearing": "听证", "tender": "招标", "auction": "拍卖", "inspection": "检验",
    "testing": "检测", "quarantine": "检疫", "appraisal": "鉴定", "expert_review": "专家评审",
    "site_visit": "现场踏勘", "other": "其他",
}  # fmt: skip
