"""Every committed chain judged by OpenSSL 4 (pyOpenSSL) and by BouncyCastle: the same verdict as ours, but for the rows of
``tests/vectors/certs/disagreements.py``, where it is said who is right and why. Rows C01-C22."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from cryptography import x509
from OpenSSL import crypto

from tests import pki
from tests.contract.bouncy_castle import ask
from tests.vectors.certs import disagreements
from tests.vectors.certs.chain import Case, Row
from tests.vectors.certs.disagreements import BOUNCY_CASTLE, OPENSSL, Disagreement
from tests.vectors.certs.generate import CHAINS


def anchors(case: Case) -> Sequence[pki.Certificate]:
    return case.anchors or [pki.root().certificate]


def lists_count(case: Case) -> bool:
    return case.policy.revocation == "require" or (bool(case.crls) and case.policy.revocation == "if-present")


def openssl4(case: Case, flags: int = 0) -> bool:
    """What OpenSSL 4 says of a chain; it knows one moment, for which ours is that of the lists."""
    store = crypto.X509Store()
    for anchor in anchors(case):
        store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, anchor.der))
    if lists_count(case):
        flags |= crypto.X509StoreFlags.CRL_CHECK
        for one in case.crls:
            store.add_crl(x509.load_der_x509_crl(one.der))
    store.set_flags(flags)
    store.set_time(case.now or case.at)
    middle = [crypto.load_certificate(crypto.FILETYPE_ASN1, one.der) for one in case.middle]
    leaf = crypto.load_certificate(crypto.FILETYPE_ASN1, case.leaf.der)
    crypto.X509StoreContext(store, leaf, middle or None).verify_certificate()
    return True


def accepted(case: Case) -> bool:
    try:
        return openssl4(case)
    except (crypto.X509StoreContextError, crypto.Error):  # refused, or a list that it cannot read
        return False


def question(case: Case) -> list[str]:
    parts = [f"a={one.der.hex()}" for one in anchors(case)]
    parts += [f"l={one.der.hex()}" for one in case.crls]
    parts += [f"c={one.der.hex()}" for one in (*case.middle, case.leaf)]
    moment = int((case.now or case.at).timestamp() * 1000)
    return ["build", str(moment), "crl" if lists_count(case) else "-", *parts]


def disagreed(verdicts: dict[str, bool]) -> set[str]:
    return {name for name, _, made in CHAINS if name in verdicts and verdicts[name] is not (made().judge().ok is True)}


def test_C01_to_C22_openssl_4_gives_the_same_verdicts_but_for_the_rows_explained() -> None:
    assert disagreed({name: accepted(made()) for name, _, made in CHAINS}) == set(disagreements.names(OPENSSL))


@pytest.mark.processes
@pytest.mark.parametrize("rows", [CHAINS[::8], pytest.param(CHAINS, marks=pytest.mark.long)], ids=["some", "all"])
def test_C01_to_C22_bouncycastle_gives_the_same_verdicts_but_for_the_rows_explained(
    bouncy_castle: list[str], rows: list[Row]
) -> None:
    answers = ask(bouncy_castle, *(question(made()) for _, _, made in rows))
    verdicts = {name: answer == "ok" for (name, _, _), answer in zip(rows, answers, strict=True)}
    assert disagreed(verdicts) == set(disagreements.names(BOUNCY_CASTLE)) & verdicts.keys()


@pytest.mark.parametrize("table", [OPENSSL, BOUNCY_CASTLE], ids=["openssl", "bouncycastle"])
def test_each_disagreement_is_told_once(table: tuple[Disagreement, ...]) -> None:
    names = disagreements.names(table)
    assert len(names) == len(set(names)) and set(names) <= {name for name, _, _ in CHAINS}


def test_the_page_is_what_the_tables_say() -> None:
    assert disagreements.PAGE.read_text("utf-8") == disagreements.page()


def test_openssl_4_in_its_strict_mode_accepts_our_chains() -> None:
    strict = crypto.X509StoreFlags.X509_STRICT
    by, middle = pki.root(), []
    for depth in range(4):
        case = Case(pki.leaf("end", by=by), middle[::-1])
        assert case.judge().ok is True and openssl4(case, strict)
        by = pki.authority(f"level-{depth}", by=by)
        middle.append(by.certificate)
