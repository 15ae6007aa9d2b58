"""``tongban case`` and ``evidence export``: what an operator is told, and what only with a reason."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from agreements.calendar import china_date
from tests.flow import walks
from tests.flow.resting import WAITING, WALKED, Rest, ask, edit, really, run, told

OTHER_CITIZEN = "11010119900101001X"


def test_list_shows_both_sides_copies_newest_first(rest: Rest) -> None:
    for folder, role in ((rest.a, "collecting"), (rest.b, "handling")):
        found = told(folder, "case", "list")["cases"]
        assert [case["id"] for case in found] == [rest.waiting, rest.walked]
        assert {case["role"] for case in found} == {role}
    assert "已送达" in run(rest.a, "case", "list").output
    assert "delivered" in run(rest.a, "case", "list", lang="en_US.UTF-8").output


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (("--state", "delivered"), 1), (("--state", "closed"), 0), (("--item", "QX-TB-004"), 1), (("--limit", "1"), 1),
        (("--id-number", walks.CITIZEN), 2), (("--id-number", OTHER_CITIZEN), 0),
    ],
)  # fmt: skip
def test_list_filters(rest: Rest, filters: tuple[str, ...], count: int) -> None:
    assert len(told(rest.a, "case", "list", *filters)["cases"]) == count


def test_an_unknown_state_is_wrong_usage(rest: Rest) -> None:
    done = really("case", "list", "--state", "nowhere", "--config", rest.a / "tongban.toml")
    assert (done.returncode, "没有这个状态" in done.stderr) == (64, True)


def test_a_case_is_found_by_either_number_and_by_id(rest: Rest) -> None:
    for number in (rest.walked, WALKED, rest.walked.split("/")[1]):
        assert told(rest.a, "case", "show", number)["id"] == rest.walked
    assert told(rest.b, "case", "show", f"HGT-{WALKED}")["id"] == rest.walked


def test_show_tells_the_walk_with_both_sides_names_and_proofs(rest: Rest) -> None:
    found = told(rest.a, "case", "show", WALKED)
    events = [one["event"] for one in found["timeline"]]
    assert events[:3] == ["collect", "forward", "received_there"] and events[-1] == "deliver"
    assert {one["by_name"] for one in found["timeline"]} == {"武汉市硚口区通办网关", "南昌市红谷滩区通办网关"}
    between = [one for one in found["messages"] if one["direction"] != "note"]
    assert len(between) == 9 and {one["answer"] for one in between} == {"receipt"}
    sent = [one for one in between if one["direction"] == "out"]
    assert all(one["sent"] and one["delivery"]["state"] == "delivered" for one in sent)


def test_an_unknown_case_is_a_no_in_both_forms(rest: Rest) -> None:
    assert run(rest.a, "case", "show", "nothing").exit_code == 1
    assert told(rest.a, "case", "why", "nothing", exit_code=1)["code"] == "TB-5001"


def test_a_number_of_two_cases_is_not_guessed(rest: Rest) -> None:
    edit(rest.b, "UPDATE case_file SET local_number = 'SAME'")
    found = told(rest.b, "case", "show", "SAME", exit_code=2)
    assert sorted(found["cases"]) == sorted([rest.walked, rest.waiting])


def test_P02_content_is_shown_only_with_a_reason_and_leaves_a_trace(rest: Rest) -> None:
    config = ("--config", rest.a / "tongban.toml")
    assert really("case", "show", WALKED, "--reveal", *config).returncode == 64
    log = rest.a / "data" / "access.log"
    assert not log.exists()
    found = told(rest.a, "case", "show", WALKED, "--reveal", "--reason", "投诉核查 2026-7")
    application = next(body for body in found["bodies"].values() if "applicant" in body)
    assert application["applicant"]["party"]["name"] == walks.NAME
    [line] = log.read_text().splitlines()
    assert json.loads(line)["what"] == rest.walked and json.loads(line)["reason"] == "投诉核查 2026-7"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_what_cannot_be_recorded_is_not_shown(rest: Rest) -> None:
    (rest.a / "data" / "access.log").mkdir()
    result = run(rest.a, "case", "show", WALKED, "--reveal", "--reason", "投诉核查")
    assert result.exit_code == 65
    assert walks.NAME not in result.output


def test_why_names_desk_clock_and_notice(rest: Rest) -> None:
    found = told(rest.a, "case", "why", WAITING)
    assert found["desk"] == "applicant"
    assert found["clock"]["clock"] == "correction"
    assert found["clock"]["due"] == (china_date(walks.now()) + timedelta(days=15)).isoformat()
    assert found["clock"]["days_left"] == 15 and "补2026-1" in found["clock"]["source"]
    assert {wait["destination"] for wait in found["waits"]} == {"platform:window"}


def test_why_counts_working_days_under_the_agreements_clause(rest: Rest) -> None:
    edit(rest.b, "DELETE FROM case_event WHERE case_id = ? AND n > 1", rest.waiting)
    edit(rest.b, "UPDATE case_file SET state = 'received_there', events = 1 WHERE id = ?", rest.waiting)
    clock = told(rest.b, "case", "why", WAITING)["clock"]
    assert (clock["clock"], clock["days"], clock["unit"], clock["days_left"]) == ("notify", 5, "working", 5)
    assert clock["clause"] and clock["source"]


def test_why_cannot_tell_the_term_without_the_agreement_version(rest: Rest) -> None:
    edit(rest.a, "UPDATE case_file SET agreement_version = 9")
    result = run(rest.a, "case", "why", WAITING)
    assert result.exit_code == 2 and "没有该协议版本" in result.output


def test_why_says_that_exchange_is_paused(rest: Rest) -> None:
    edit(rest.a, "UPDATE peer SET state = 'paused', cause = 'TB-2008'")
    assert told(rest.a, "case", "why", WAITING)["peer_paused"] is True


# --- evidence ---------------------------------------------------------------------------------------------------------


def test_an_exported_package_verifies_offline_against_both_roots(rest: Rest, tmp_path: Path) -> None:
    anchors = [word for folder in (rest.a, rest.b) for word in ("--anchor", str(folder / "certs" / "ca.der"))]
    for folder in (rest.a, rest.b):
        out = tmp_path / f"{folder.name}.jsonl"
        made = told(folder, "evidence", "export", WALKED, "-o", out)
        assert made["case"] == rest.walked and made["bytes"] == out.stat().st_size
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        done = really("evidence", "verify", out, *anchors, "--json")
        report = json.loads(done.stdout.splitlines()[-1])
        assert (done.returncode, report["ok"], report["grade"], report["trust"]) == (0, True, "full", "anchored")
        assert report["messages"] == 9 and report["state"] == "delivered"


def test_the_applicants_files_come_only_when_asked_for(rest: Rest, tmp_path: Path) -> None:
    out = tmp_path / "e.jsonl"
    told(rest.a, "evidence", "export", WALKED, "-o", out)
    assert [one["role"] for one in documents(out)] == ["result"]
    told(rest.a, "evidence", "export", WALKED, "-o", out, "--with-materials")
    assert sorted(one["role"] for one in documents(out)) == ["material", "result"]
    assert really("evidence", "verify", out).returncode == 0


def documents(out: Path) -> list[dict[str, str]]:
    return [one for line in out.read_bytes().splitlines() if (one := json.loads(line))["record"] == "document"]


def test_one_changed_byte_is_found_and_named(rest: Rest, tmp_path: Path) -> None:
    out = tmp_path / "e.jsonl"
    told(rest.b, "evidence", "export", WALKED, "-o", out)
    lines = out.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if b'"record":"message"' in line)
    at = lines[number].index(b'"body":"') + 60
    flipped = b"A" if lines[number][at : at + 1] != b"A" else b"B"
    lines[number] = lines[number][:at] + flipped + lines[number][at + 1 :]
    out.write_bytes(b"".join(lines))
    done = really("evidence", "verify", out, "--json")
    report = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1 and report["ok"] is False
    assert number + 1 in {reason["line"] for reason in report["reasons"]}


def test_a_case_under_way_exports_what_is_proved_so_far(rest: Rest, tmp_path: Path) -> None:
    out = tmp_path / "e.jsonl"
    told(rest.a, "evidence", "export", WAITING, "-o", out)
    assert really("evidence", "verify", out).returncode == 0


def test_an_act_that_has_not_left_is_told_as_not_sent(rest: Rest, tmp_path: Path) -> None:
    [(message,)] = ask(rest.a, "SELECT id FROM message WHERE case_id = ? AND type = 'delivery'", rest.walked)
    edit(rest.a, "UPDATE message SET header = NULL, sent_leaf = NULL, receipt = NULL, seq = 0 WHERE id = ?", message)
    out = tmp_path / "e.jsonl"
    told(rest.a, "evidence", "export", WALKED, "-o", out)
    timeline = next(one for line in out.read_bytes().splitlines() if (one := json.loads(line))["record"] == "timeline")
    assert "not sent" in timeline["entries"][-1]["note"] and "message" not in timeline["entries"][-1]
    done = really("evidence", "verify", out, "--json")
    assert json.loads(done.stdout.splitlines()[-1])["messages"] == 8 and done.returncode == 0


def test_export_over_an_unwritable_place_leaves_nothing(rest: Rest, tmp_path: Path) -> None:
    result = run(rest.a, "evidence", "export", WALKED, "-o", tmp_path / "missing" / "e.jsonl")
    assert result.exit_code == 65 and not (tmp_path / "missing").exists()
