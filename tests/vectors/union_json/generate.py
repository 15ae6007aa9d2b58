"""Make ``vectors.json``: calls of this family as a platform would send them, one defect each, and what is to be said of it.

Run by hand: ``python tests/vectors/union_json/generate.py``. Nothing of the gateway is used: messages are written here by the
profiles' descriptions. ``expect`` is the act's type, or the refusal's code and the path in the platform's own names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
AT, NO = "2026-01-01 09:30:00", "4101002026010100001"
CHECK = {
    "clerkname": "测试窗口员",
    "clerkno": "K001",
    "windowname": "3号窗口",
    "checktype": "1",
    "originals": ["居民身份证"],
    "checkdate": AT,
}
PROJECT: dict[str, Any] = {
    "rowguid": "R1", "projectguid": NO, "task_id": "360113-0001", "taskname": "测试事项", "taskversion": "1", "applymode": "2",
    "belongxiaqucode": "360113000000", "applyertype": "10", "applyername": "测试甲", "certtype": "10",
    "certnum": "11010519491231002X", "contactphone": "13800000000", "address": "测试路1号", "formdata": {"经营场所": "测试大道1号"},
    "applydate": AT, "purpose": "测试", "is_submit": "1", "windowcheck": CHECK,
    "materiallist": [{"taskmaterialguid": "M1", "taskmaterialname": "申请书"}],
}  # fmt: skip
HEAD = {"rowguid": "R2", "projectguid": NO, "flowsn": "ZZ1", "handler": "测试官", "operatedate": AT}
STATUS: dict[str, dict[str, Any]] = {
    "correction_request": {**HEAD, "status": "10", "docnumber": "郑补1号", "duedate": "2026-01-20",
                           "supplements": [{"type": "1", "name": "章程", "problem": "缺页", "demand": "补页"}]},
    "correction": {**HEAD, "status": "11", "remark": "已补",
                   "materiallist": [{"taskmaterialguid": "M2", "taskmaterialname": "章程"}]},
    "acceptance": {**HEAD, "status": "20", "result": "1", "docnumber": "郑受1号", "ouname": "测试局", "promisedate": "2026-01-30"},
    "step": {**HEAD, "status": "30", "activityname": "审查"},
    "special_start": {**HEAD, "status": "40", "specialtype": "9", "legalbasis": "第四十五条", "reason": "需评审", "limitdays": "10",
                      "docnumber": "郑特1号"},
    "special_end": {**HEAD, "status": "41", "remark": "评审通过"},
    "decision": {**HEAD, "status": "50", "result": "1", "docnumber": "郑决1号", "ouname": "测试局", "banjiedate": AT},
    "result": {**HEAD, "status": "60", "docnumber": "郑果1号", "resultname": "测试证书",
               "materiallist": [{"taskmaterialguid": "M3", "taskmaterialname": "测试证书"}]},
    "arrival": {**HEAD, "status": "70", "windowname": "3号窗口", "receivedfiles": ["0" * 64]},
    "delivery": {**HEAD, "status": "80", "delivertype": "1", "receiver": "测试甲", "checktype": "1"},
    "withdrawal": {**HEAD, "status": "90", "reason": "不办了"},
}  # fmt: skip
NC: dict[str, Any] = {
    "messageId": "N1", "projectNo": "3601002026010100001", "itemCode": "360113-0001", "itemName": "测试事项", "itemVersion": "1",
    "handleMode": "2", "handleAreaCode": "360113000000", "applicantType": "10", "applicantName": "测试甲",
    "applicantCertType": "10", "applicantCertNo": "11010519491231002X", "applyTime": "20260101093000", "usePurpose": "测试",
    "collectCheck": {"clerkName": "测试窗口员", "clerkNo": "K001", "windowName": "3号窗口", "checkMethod": "1",
                     "checkTime": "20260101093000"},
}  # fmt: skip
NODE = {
    "messageId": "N2",
    "projectNo": "3601002026010100001",
    "serialNo": "NC1",
    "operatorName": "测试官",
    "operateTime": "20260101093000",
}
FILE = {"@id": "G1", "@name": "文件.pdf", "@size": 10, "@sm3": "0" * 64, "@ending": "pdf"}


def less(message: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key not in names}


Row = tuple[str, dict[str, Any], str, str]
CASE: list[Row] = [
    ("no guid of the row", less(PROJECT, "rowguid"), "id-form", "params.rowguid"),
    ("no guid of the project", less(PROJECT, "projectguid"), "case-missing", "params.projectguid"),
    ("a guid that is a number", {**PROJECT, "projectguid": 1}, "id-form", "params.projectguid"),
    ("a guid with a line in it", {**PROJECT, "rowguid": "a\nb"}, "id-form", "params.rowguid"),
    ("a town's division", {**PROJECT, "belongxiaqucode": "360113001000"}, "value-form", "params.belongxiaqucode"),
    ("an unknown kind of person", {**PROJECT, "applyertype": "77"}, "code-unknown", "params.applyertype"),
    ("an unknown document type", {**PROJECT, "certtype": "99"}, "code-unknown", "params.certtype"),
    ("a citizen number with a wrong digit", {**PROJECT, "certnum": "110105194912310021"}, "*", "params.certnum"),
    ("no name", less(PROJECT, "applyername"), "*", "params.applyername"),
    ("a day that is none", {**PROJECT, "applydate": "2026-02-30 09:30:00"}, "value-form", "params.applydate"),
    ("a time with a T", {**PROJECT, "applydate": "2026-01-01T09:30:00"}, "value-form", "params.applydate"),
    ("no check at the window", less(PROJECT, "windowcheck"), "attestation-missing", "params.windowcheck"),
    ("a form of numbers", {**PROJECT, "formdata": {"a": 1}}, "value-type", "params.formdata"),
    ("a version that is no number", {**PROJECT, "taskversion": "一"}, "value-type", "params.taskversion"),
]
SPOILT: list[Row] = [
    ("an ending that nobody knows", {**FILE, "@ending": "exe"}, "code-unknown", "params.@files[0].@ending"),
    ("a file without an ending", {**FILE, "@ending": ""}, "*", "params.@files[0].@ending"),
    ("a file's name with a path", {**FILE, "@name": "../a.pdf"}, "*", "params.@files[0].@name"),
]
STEP, REFUSAL = STATUS["step"], {**STATUS["decision"], "result": "0"}
ACTS: list[Row] = [
    ("a status that nobody knows", {**STEP, "status": "99"}, "type-unknown", "params.status"),
    ("a status that is a number", {**STEP, "status": 30}, "type-unknown", "params.status"),
    ("a refusal without its reason", REFUSAL, "reason-missing", "params.reason"),
    ("a refusal without redress", {**REFUSAL, "reason": "不符"}, "redress-missing", "params.redress"),
    ("a supplement without reasons", less(STATUS["correction_request"], "supplements"), "*", "params.supplements"),
    ("a result without a file", STATUS["result"], "*", "params.@files"),
    (
        "a courier without a waybill",
        {**STATUS["delivery"], "delivertype": "2"},
        "waybill-missing",
        "params.waybill",
    ),
]
PROVINCE: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("basic information", "pushBaseInfo", NC, "application", ""),
    ("an acceptance", "pushProcess", {**NODE, "nodeType": "SL", "resultCode": "1", "docNo": "1", "deptName": "局"}, "acceptance",
     ""),
    ("a decision", "pushResult", {**NODE, "nodeType": "BJ", "resultCode": "1", "docNo": "1", "deptName": "局",
                                  "finishTime": "20260101T093000"}, "decision", ""),
    ("a step by the wrong call", "pushResult", {**NODE, "nodeType": "HJ", "nodeName": "审查"}, "type-unknown", "params.nodeType"),
    ("no number of the project", "pushBaseInfo", less(NC, "projectNo"), "case-missing", "params.projectNo"),
    ("a time in seconds", "pushBaseInfo", {**NC, "applyTime": "1767231000"}, "value-form", "params.applyTime"),
]  # fmt: skip


def vector(
    name: str, profile: str, operation: str, params: Any, expect: str, path: str, files: list[Any] | None = None
) -> dict[str, Any]:
    return {"name": name, "profile": profile, "operation": operation, "params": params, "expect": expect, "path": path,
            "files": files or []}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Every vector."""
    paper, certificate = {**FILE, "taskmaterialname": "申请书"}, {**FILE, "taskmaterialname": "测试证书"}
    city = "zhengzhou"
    found = [vector("a case with its papers", city, "pushProject", PROJECT, "application", "", [paper])]
    for type_, message in STATUS.items():
        files = [certificate] if type_ in ("result", "correction") else []
        found.append(vector(f"status {type_}", city, "pushStatus", message, type_, "", files))
    found += [vector(name, city, "pushProject", message, code, path) for name, message, code, path in CASE]
    found += [vector(name, city, "pushProject", PROJECT, code, path, [file]) for name, file, code, path in SPOILT]
    found += [vector(name, city, "pushStatus", message, code, path) for name, message, code, path in ACTS]
    found += [vector(name, "nanchang", call, message, code, path) for name, call, message, code, path in PROVINCE]
    return found


if __name__ == "__main__":
    text = json.dumps(rows(), ensure_ascii=False, indent=1)
    (HERE / "vectors.json").write_text(text + "\n", "utf-8")
