"""The known-answer test that every provider passes before it is used: the example of GB/T 32918.5-2017 annex A.

A provider that fails it is not used at all; nothing is re-tried with another id, encoding or library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from signing.errors import Malformed, Unavailable
from signing.sm2 import N, PrivateKey, PublicKey

if TYPE_CHECKING:
    from signing.providers import Provider

D: Final = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PUBLIC: Final = PublicKey(
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
E: Final = bytes.fromhex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640")
R: Final = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S: Final = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
PLAINTEXT: Final = b"encryption standard"
# x of C1 itself starts with 04, after the 04 of the point form.
CIPHERTEXT: Final = bytes.fromhex(
    "0404EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73E858F9D81E5430A57B36DAAB8F950A"
    "3C64E6EE6A63094D99283AFF767E124DF059983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD87"
    "6621886CA989CA9C7D58087307CA93092D651EFA"
)


def passes(provider: Provider, *, signs: bool) -> None:
    """Raise Unavailable("provider-selftest") unless every answer is the known one."""
    try:
        good = _verifies(provider) and (not signs or _signs(provider))
    except (Malformed, OSError, ValueError, ArithmeticError):
        good = False
    if not good:
        zh, en = (
            f"SM2 提供者 {provider.uri} 未通过已知答案自检",
            f"the SM2 provider {provider.uri} failed its known-answer test",
        )
        raise Unavailable("provider-selftest", zh, en)


def _verifies(provider: Provider) -> bool:
    if not provider.verify_digest(PUBLIC, E, R, S):
        return False
    bad = ((E, R, S ^ 1), (E, R ^ 1, S), (E[::-1], R, S), (E, S, R), (E, 0, S), (E, R, 0), (E, R, N), (E, R, N - R))
    return not any(provider.verify_digest(PUBLIC, e, r, s) for e, r, s in bad)


def _signs(provider: Provider) -> bool:
    private = provider.load(D)
    first, second = provider.sign_digest(private, E), provider.sign_digest(private, E)
    return (
        private == PrivateKey(D, PUBLIC)
        and first != second
        and provider.verify_digest(PUBLIC, E, *first)
        and provider.verify_digest(PUBLIC, E, *second)
        and provider.decrypt(private, CIPHERTEXT) == PLAINTEXT
        and provider.decrypt(private, provider.encrypt(PUBLIC, PLAINTEXT)) == PLAINTEXT
    )
