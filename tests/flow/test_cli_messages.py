"""``tongban msg`` and ``tongban deadletter``: what is owed, what waits for a person, and the person's word."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.core.delivery import State
from gateway.flow.show import safe_cause
from tests.flow import resting, walks
from tests.flow.resting import NAMED, WALKED, Rest, ask, edit, really, run, told

PERSONAL = f"TB-4103 申请人{walks.NAME}（{walks.CITIZEN}）不在名册"


def application(folder: Path, case: str) -> str:
    [(message,)] = ask(folder, "SELECT id FROM message WHERE case_id = ? AND type = 'application'", case)
    return str(message)


def stuck(folder: Path, message: str, state: str, cause: str) -> None:
    edit(folder, "UPDATE delivery SET state = ?, cause = ?, attempt = 200 WHERE message = ?", state, cause, message)


def delivery(folder: Path, message: str) -> tuple[str, int, int]:
    [row] = ask(folder, "SELECT state, attempt, next_ms FROM delivery WHERE message = ?", message)
    return row


def test_list_filters_by_state_destination_type_and_case(rest: Rest) -> None:
    owed = told(rest.b, "msg", "list", "--state", "open")["messages"]
    assert {one["delivery"]["destination"] for one in owed} == {"platform:hall"}
    assert {one["type"] for one in told(rest.a, "msg", "list", "--type", "result")["messages"]} == {"result"}
    assert {one["case"] for one in told(rest.a, "msg", "list", "--case", WALKED)["messages"]} == {rest.walked}
    assert told(rest.a, "msg", "list", "--to", "peer:nobody")["messages"] == []
    assert really("msg", "list", "--state", "x", "--config", rest.a / "tongban.toml").returncode == 64


def test_show_names_digest_and_where_the_proofs_stand(rest: Rest) -> None:
    message = application(rest.a, rest.walked)
    ours, theirs = told(rest.a, "msg", "show", message), told(rest.b, "msg", "show", message)
    assert ours["digest"] == theirs["digest"] and len(ours["digest"]) == 64
    assert [(one["kind"], one["ledger"] == "ours") for one in ours["proofs"]] == [
        ("platform", True), ("sent", True), ("receipt", False),
    ]  # fmt: skip
    assert [(one["kind"], one["ledger"] == "ours") for one in theirs["proofs"]] == [("accepted", True), ("sent", False)]
    assert all("name" not in part for part in ours["header"]["parts"])
    assert run(rest.a, "msg", "show", "0" * 26).exit_code == 1


def test_P02_a_partners_words_about_a_refusal_are_shown_only_with_a_reason(rest: Rest) -> None:
    message = application(rest.b, rest.waiting)
    stuck(rest.b, message, "parked", PERSONAL)
    assert told(rest.b, "msg", "show", message)["delivery"]["cause"] == "TB-4103"
    found = told(rest.b, "msg", "show", message, "--reveal", "--reason", "投诉核查")
    assert found["cause"] == PERSONAL and found["body"]["applicant"]["party"]["name"] == walks.NAME


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (PERSONAL, "TB-4103"), ("ClientConnectorError", "ClientConnectorError"), ("待人工确认", "待人工确认"),
        (walks.CITIZEN, ""), (f"E{walks.CITIZEN} x", ""), (walks.NAME, ""), ("", ""), ("人工处置 甲说已收", ""),
    ],
)  # fmt: skip
def test_P02_of_a_cause_only_its_code_is_shown(cause: str, shown: str) -> None:
    assert safe_cause(cause) == shown


# --- sending again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("parked", "unknown"), ("held", "queued"), ("frozen", "frozen")])
def test_resend_lets_it_go_on_with_a_fresh_count_of_tries(rest: Rest, before: str, after: str) -> None:
    message = application(rest.b, rest.waiting)
    stuck(rest.b, message, before, "E1")
    edit(rest.b, "UPDATE delivery SET next_ms = 99999999999999 WHERE message = ?", message)
    edit(
        rest.b, "INSERT INTO destination (id, attempt, next_ms, cause) VALUES ('platform:hall', 9, 99999999999999, 'x')"
    )
    found = told(rest.b, "msg", "resend", message, "--reason", "已修复")
    assert (found["state"], found["gateway_told"]) == (after, False)
    assert delivery(rest.b, message) == (after, 0, 0)
    assert ask(rest.b, "SELECT attempt, next_ms FROM destination") == [(0, 0)]


@pytest.mark.parametrize("state", ["delivered", "refused", "given_up", "awaiting_person"])
def test_resend_refuses_what_is_done_and_what_waits_for_a_persons_word(rest: Rest, state: str) -> None:
    message = application(rest.b, rest.waiting)
    stuck(rest.b, message, state, "")
    assert told(rest.b, "msg", "resend", message, exit_code=1)["code"] == "TB-5002"
    assert delivery(rest.b, message)[0] == state


def test_resend_of_an_unknown_message_is_a_no(rest: Rest) -> None:
    assert told(rest.a, "msg", "resend", "nothing", exit_code=1)["code"] == "TB-5001"


def test_no_command_adds_a_leaf_or_touches_what_was_frozen(rest: Rest) -> None:
    def kept() -> object:
        return (
            ask(rest.b, "SELECT * FROM leaf"),
            ask(rest.b, "SELECT * FROM checkpoint"),
            ask(rest.b, "SELECT id, header, sealed, frozen, leaf FROM message ORDER BY id"),
        )

    before, message = kept(), application(rest.b, rest.waiting)
    stuck(rest.b, message, "parked", "E1")
    told(rest.b, "msg", "resend", message)
    told(rest.b, "peer", "pause", "420104", "--reason", "演练")
    assert kept() == before


# --- dead letters -----------------------------------------------------------------------------------------------------


def test_dead_letters_are_grouped_by_cause_with_a_hint(rest: Rest) -> None:
    messages = [row[0] for row in ask(rest.b, "SELECT message FROM delivery WHERE state = 'queued' ORDER BY message")]
    assert told(rest.b, "deadletter", "list")["count"] == 0
    stuck(rest.b, messages[0], "parked", PERSONAL)
    stuck(rest.b, messages[1], "parked", "TB-4103 另一句话")
    stuck(rest.b, messages[2], "awaiting_person", "待人工确认")
    found = told(rest.b, "deadletter", "list", exit_code=1)
    assert {(one["state"], one["cause"], len(one["messages"])) for one in found["groups"]} == {
        ("parked", "TB-4103", 2), ("awaiting_person", "待人工确认", 1),
    }  # fmt: skip
    assert all(one["hint"] for one in found["groups"])
    assert "× 2" in run(rest.b, "deadletter", "list").output


def test_a_persons_word_needs_a_word_a_reason_and_a_running_node(rest: Rest) -> None:
    """The word is a leaf, and only the node that runs may add one: without it nothing is done, and that is said."""
    message, config = application(rest.b, rest.waiting), ("--config", rest.b / "tongban.toml")
    stuck(rest.b, message, State.AWAITING_PERSON, "待人工确认")
    assert really("deadletter", "resolve", message, "--there", *config).returncode == 64
    assert really("deadletter", "resolve", message, "--reason", "x", *config).returncode == 64
    assert told(rest.b, "deadletter", "resolve", message, "--there", "--reason", "核实", exit_code=2)["ok"] is None
    assert delivery(rest.b, message)[0] == "awaiting_person"


def test_show_of_what_was_never_called_and_of_what_is_not_there(rest: Rest) -> None:
    message = application(rest.b, rest.waiting)
    stuck(rest.b, message, "parked", PERSONAL)
    found = told(rest.b, "deadletter", "show", message, exit_code=1)
    assert (found["sent"]["frozen"], found["sent"]["tried"], found["heard"]["said"]) == (False, None, "")
    assert "未曾呼叫" in run(rest.b, "deadletter", "show", message).output or found["sent"]["tries"]
    assert told(rest.b, "deadletter", "show", "nothing", exit_code=1)["code"] == "TB-5001"


# --- beside a running gateway -----------------------------------------------------------------------------------------


async def test_a_running_gateway_hears_of_a_resend_at_once(tmp_path: Path) -> None:
    async with walks.running(tmp_path / "w", joined=False) as pair:
        case = await walks.collect(pair, WALKED)
        folder = pair.world.a.folder
        message = application(folder, case)
        stuck(folder, message, "held", "E1")
        loop = pair.a.loops[f"peer:{pair.world.b.place.party}"]
        task = asyncio.create_task(loop.run())
        await asyncio.sleep(0.2)  # it has looked, found nothing to do, and sleeps for half a minute
        found = await asyncio.to_thread(told, folder, "msg", "resend", message)
        assert found["gateway_told"] is True
        await pair.until(lambda: delivery(folder, message)[0] == "delivered", 5)
        task.cancel()


def test_everything_personal_of_this_test_would_be_found() -> None:
    assert resting.scan(PERSONAL.encode(), named=NAMED)
