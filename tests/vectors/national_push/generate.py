"""Make ``vectors.json``: the rows that each event of one sample case fills by the profile ``national``, written down by hand here.

Run by hand: ``python tests/vectors/national_push/generate.py``. Nothing of the gateway is imported: the sample case is the one
that ``adapters/samples.py`` describes, and the columns are those of the published tables. ``refused`` are changes to the sample
(by the report's field) that no row can hold, with the code and the column.
"""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
AT = "2025-03-03 09:30:00"
ID = "01950000-0000-7000-8000-000000000001"
COMMON = {
    "project_no": "36011301950000000000000000000001", "cd_operation": "I", "cd_batch": "20250303-0000000001", "cd_time": AT,
    "data_source": "001",
}  # fmt: skip
ACCEPT = {
    "accept_date": AT, "accept_doc_no": "测受字1号", "address": "测试路1号", "apply_date": AT, "apply_type": "2",
    "applyer_name": "测试甲", "applyer_page_code": "11010519491231002X", "applyer_page_type": "111", "applyer_type": "1",
    "catalog_code": "360113000000", "local_catalog_code": "360113-0001", "task_code": "360113-0001", "task_name": "测试事项",
    "task_version": "1", "contact_name": "测试乙", "contact_type": "111", "contact_code": "11010519491231002X",
    "contact_mobile": "13800000000", "handle_user_name": "测试官", "org_code": "11360113MB0000000X", "org_name": "测试审批局",
    "project_name": "测试事项", "project_type": "1", "promise_date": "2025-03-20",
}  # fmt: skip
MATERIALS = [
    {"material_name": name, "get_type": "1", "get_num": "1", "material_attach_name": "测试.pdf"}
    for name in ("申请书", "章程")
]
SPECIAL = {
    "special_type": "09", "special_name": "专家评审", "special_reason": "需要专家评审", "special_time": AT, "end_time": AT,
    "result": "评审通过", "special_explain": "行政许可法第四十五条", "handle_user": "测试官",
}  # fmt: skip
EVENTS = {
    "receive": "01", "request_correction": "02", "correct": "03", "accept": "04", "not_accept": "05", "deem_accepted": "06",
    "step": "07", "start_special": "08", "end_special": "09", "decide_grant": "10", "decide_deny": "11", "issue_result": "12",
    "deliver": "13", "withdraw": "14", "terminate": "15", "transfer": "16", "lapse_correction": "17", "correct_decision": "18",
    "revoke": "19", "cancel": "20",
}  # fmt: skip
RESULTS = {
    "decide_grant": "01", "decide_deny": "02", "not_accept": "03", "withdraw": "04", "terminate": "05", "lapse_correction": "06",
    "transfer": "07", "issue_result": "08", "correct_decision": "09", "revoke": "10", "cancel": "11",
}  # fmt: skip
REFUSED = [
    {"name": "no step name", "event": "step", "change": {"step": ""}, "code": "column-missing",
     "path": "up_pro_process.process_name"},
    {"name": "opinion too long", "event": "step", "change": {"opinion": "长" * 2001}, "code": "column-too-long",
     "path": "up_pro_process.handle_explain"},
    {"name": "case number too long", "event": "step", "change": {"number": "1" * 51}, "code": "column-too-long",
     "path": "up_pro_process.project_no"},
    {"name": "event without tables", "event": "collect", "change": {}, "code": "type-not-mapped", "path": ""},
    {"name": "accepted without an acceptance", "event": "accept", "change": {"acceptance": None}, "code": "column-missing",
     "path": "up_pro_accept.accept_date"},
    {"name": "unknown way of changing", "event": "step", "change": {"change": "erase"}, "code": "code-unknown",
     "path": "change"},
]  # fmt: skip


def rows(event: str) -> list[dict[str, object]]:
    """All rows of one event, numbered."""
    told: list[tuple[str, dict[str, str]]] = []
    if event == "end_special":
        told.append(("up_pro_special_procedure", SPECIAL))
    if event in ("accept", "not_accept", "deem_accepted"):
        told += [("up_pro_accept", ACCEPT), *(("up_pro_material", one) for one in MATERIALS)]
    process = {
        "event_name": EVENTS[event], "process_name": "审查", "handle_user_name": "测试官", "handle_explain": "符合条件",
        "event_start_time": AT, "event_end_time": AT,
    }  # fmt: skip
    told.append(("up_pro_process", process))
    if event in RESULTS:
        result = {
            "result_type": RESULTS[event], "result_date": AT, "result_explain": "符合条件", "result_cetr_name": "测试证书",
            "result_cetr_no": "测果字1号", "is_delivery_results": "0", "handle_user_name": "测试官",
        }  # fmt: skip
        told.append(("up_pro_result", result))
    return [
        {"table": table, "values": {"row_guid": f"{ID}-{n}", **COMMON, **values}}
        for n, (table, values) in enumerate(told)
    ]


def main() -> None:
    """Write the file."""
    made = {"rows": {event: rows(event) for event in EVENTS}, "refused": REFUSED}
    text = json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / "vectors.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
