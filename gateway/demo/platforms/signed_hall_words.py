"""What four simulated platforms call things (模拟平台的字段名), from their profiles' descriptions, and papers in these words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from simkit import citizen_id, now, pdf, sm3  # type: ignore[import-not-found]

FIELDS = [
    "case",
    "item",
    "item_name",
    "version",
    "mode",
    "handling",
    "applicant",
    "form",
    "materials",
    "attestation",
    "collected",
    "purpose",
    "kind",
    "name",
    "id_type",
    "id_number",
    "mobile",
    "address",
    "digest",
    "size",
    "media",
    "file",
    "clerk",
    "clerk_no",
    "window",
    "check",
    "originals",
    "at",
    "id",
    "type",
    "body",
    "reason",
]
ITEM = {"code": "360113-0001", "name": "内资企业设立登记"}

HUBEI = """
projectNo itemCode itemName itemVersion handleMode handleArea applyer formInfo materialList windowInfo receiveTime
applyPurpose kindCode name certType certNo phone address fileDigest fileSize fileType fileName clerkName clerkNo
windowName verifyWay originals opTime messageId msgType data reasonText
"""
WUHAN = """
BJBH SXBM SXMC SXBB BLMS BLXZQ SQR BDXX CLLB HYXX SJSJ YT LX MC ZJLX ZJHM LXDH DZ WJZY WJDX WJLX WJM RYXM RYGH CKMC
HYFS YJLB SJ BWBH BWLX BWT YY
"""
YUEYANG = """
case_no task_code task_name task_version run_mode run_area applicant fields materials attestation received_at
purpose subject_kind name paper_type paper_no mobile address sm3 bytes mime file_name clerk clerk_no window
identity_check originals_seen at msg_id msg_type payload reason
"""
XIAMEN = """
bizSn srvCode srvName srvVer srvMode admdvs psn formData atchList chkInfo rcvTime usePurp psnType psnName
psnCertType certno tel addr atchDgst atchSize atchMime atchName opterName opter wndoName chkWay origList optTime
msgId infno input rea
"""


class Words(NamedTuple):
    """One platform. ``codes``: person, collected elsewhere, card reader, withdrawal. ``place``: digits of a division; ``time``: how
    a moment is written. Answers: the member of the code, its values for taken, known and absent, the message, the number.
    ``said``: what the gateway's answer to a message holds, ``receipt`` where its proof is."""

    names: dict[str, str]
    codes: tuple[Any, ...]
    place: int
    time: str
    events: str
    answer: tuple[str, Any, Any, Any, str, str]
    said: dict[str, Any]
    receipt: str


def _names(text: str) -> dict[str, str]:
    return dict(zip(FIELDS, text.split(), strict=True))


WORDS = {
    "hubei": Words(
        _names(HUBEI),
        ("1", "2", "1", "WITHDRAW"), 12, "%Y-%m-%d %H:%M:%S", "/ebus/tongban/events", ("code", 200, 208, 404, "message", "data"),
        {"code": 200}, "receipt",
    ),
    "wuhan": Words(
        _names(WUHAN),
        ("GR", "YDDS", "SFZ", "CH"), 6, "%Y%m%d%H%M%S", "/zwfw/tongban/events", ("JGM", "0000", "0002", "0404", "JGSM", "HZBH"),
        {"JGM": "0000"}, "HZ",
    ),
    "yueyang": Words(
        _names(YUEYANG),
        ("person", "collect_elsewhere", "id_card_reader", "withdrawal"), 9, "ms", "/openapi/v1/tongban/events",
        ("status", "ok", "duplicate", "absent", "message", "reference"), {"status": "ok"}, "receipt",
    ),
    "xiamen_yibao": Words(
        _names(XIAMEN),
        ("01", "02", "01", "9112"), 6, "%Y-%m-%dT%H:%M:%S", "/fsi/api/tongban/event",
        ("infcode", 0, 2, 404, "err_msg", "inf_refmsgid"), {"infcode": 0}, "receipt",
    ),
}  # fmt: skip


def moment(words: Words, at: datetime) -> Any:
    """A moment as this platform writes it."""
    return int(at.timestamp() * 1000) if words.time == "ms" else at.strftime(words.time)


def number_of(words: Words, value: int) -> Any:
    """A number; one of the platforms writes them as text."""
    return str(value) if words.names["digest"] == "WJZY" else value


def application(
    words: Words, config: dict[str, Any], number: int, size: int
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """An application by nobody, and its files by their digests; the first file has the size that is asked for."""
    case = f"{config.get('division', '420000')}{now():%Y%m%d}{number:06d}"
    files = {
        name: pdf(f"TEST {case} {position}", size if position == 0 else 2048)
        for position, name in enumerate(("申请书", "章程"))
    }
    at = moment(words, now())
    person, mode, check, _ = words.codes
    w = words.names
    body = {
        w["case"]: case, w["item"]: ITEM["code"], w["item_name"]: ITEM["name"], w["version"]: number_of(words, 1), w["mode"]: mode,
        w["handling"]: "360113".ljust(words.place, "0"),
        w["applicant"]: {
            w["kind"]: person, w["name"]: "测试甲", w["id_type"]: "111", w["id_number"]: citizen_id("420104", "19900101", number),
            w["mobile"]: "13800000000", w["address"]: "测试路1号",
        },
        w["form"]: {"经营场所": f"测试大道{number}号"},
        w["materials"]: [
            {w["name"]: name, w["digest"]: sm3(data).hex(), w["size"]: number_of(words, len(data)), w["media"]: "application/pdf",
             w["file"]: f"{case}.pdf"} for name, data in files.items()
        ],
        w["attestation"]: {
            w["clerk"]: "测试窗口员", w["clerk_no"]: "K1", w["window"]: "3号窗口", w["check"]: check, w["originals"]: ["身份证"],
            w["at"]: at,
        },
        w["collected"]: at, w["purpose"]: config.get("purpose", "办理政务服务事项"),
    }  # fmt: skip
    return {w["id"]: f"{case}-SB", w["case"]: case, w["body"]: body}, {sm3(data).hex(): data for data in files.values()}


def withdrawal(words: Words, case: str) -> dict[str, Any]:
    """撤回: an act on a case."""
    w = words.names
    body = {w["reason"]: "申请人不再办理", w["at"]: moment(words, now())}
    return {w["id"]: f"{case}-CH", w["case"]: case, w["type"]: words.codes[3], w["body"]: body}
