"""P05: what is printed in an error or a log tells neither the person nor a secret."""

from __future__ import annotations

from adapters.sharing.base import Cause, Fetched, Found, Granted, HolderKey
from adapters.sharing.registry import SharingSettings, open_sharing, profile
from gateway.flow.shared import Asked, Secret
from gateway.sharing.judge import Seen, Wanted
from gateway.sharing.questions import Holder, Query, Why

PERSON, NAME, TICKET = "420104196001020019", "甄无名", "s3cret-ticket"
CAUSE = Cause("员", "1", "i", "事项", "c", "用途", "consent", "书")
KEY = HolderKey(PERSON, "111", NAME)


def test_P05_nothing_that_is_printed_names_the_person_or_a_secret() -> None:
    ports = [
        open_sharing(SharingSettings(profile=name, account="a"), TICKET, None, lambda: 0, profile(name))
        for name in ("shandong-certshare", "shanghai-relay", "guangdong-license")
    ]
    why = Why(
        clerk="员", clerk_no="1", item="i", item_name="x", case_number="c", purpose="p", basis="law", basis_text="法"
    )
    holder = Holder(code=PERSON, code_type="111", name=NAME)
    shown = [
        *ports, KEY, Granted(TICKET), Found("1.2", "T", "证", "n", PERSON), Fetched(b"x", "valid", {"CZZT": NAME}), holder,
        Query(why=why, holder=holder, type_code="T"), Secret(KEY, CAUSE, TICKET),
        Seen("1.2", "T", "证", PERSON, "111", {"A": NAME}),
        Wanted("1.2", "T", PERSON), Asked("query", "p", "w", CAUSE, KEY, "T"),
    ]  # fmt: skip
    for one in shown:
        said = repr(one)
        assert not [secret for secret in (PERSON, NAME, TICKET) if secret in said], type(one)
