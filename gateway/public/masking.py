"""What of a holder (持证主体) may stand on a public page: first character and last four, by position, never by recognising.

The page shows only fields that ``shown`` lists, and each goes through here, whatever form its issuer wrote it in (row P05):
full-width digits, blanks between them and a small ``x`` are the same number. Free words (a permit's name) lose every
long run of digits and every long unbroken Latin text, which is where a number or its Base64 would be.
"""

from __future__ import annotations

import re
import unicodedata

ORGANISATION = "001"  # holder code type of GB/T 36903 annex A: unified social credit code, whose register is public
LONGEST = 120
_NUMBER = re.compile(r"\d(?:[ \-_.·/]?\d){6,}[ \-]?[Xx]?")
_UNBROKEN = re.compile(r"[A-Za-z0-9+/=_-]{24,}")
_NOT_SHOWN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs"})
_PLAIN = re.compile(r"[\u4e00-\u9fff]*")


def holder(name: str, code_type: str) -> str:
    """A person's name as its first character and two stars, however long it is; an organisation's as it is registered."""
    if code_type == ORGANISATION:
        return words(name)
    plain = "".join(letter for letter in words(name) if not letter.isspace())
    return f"{plain[0]}**" if plain and not plain[0].isdigit() else "***"


def code(number: str) -> str:
    """A holder's number as its last four characters; only stars for one too short to hide behind four."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKC", number) if letter.isalnum()).upper()
    return f"****{plain[-4:]}" if len(plain) >= 8 and plain.isascii() else "****"


def words(text: str) -> str:
    """Free words without control characters, long numbers and long unbroken Latin text."""
    if len(text) <= LONGEST and _PLAIN.fullmatch(text):
        return text  # as nearly all of them are
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) not in _NOT_SHOWN
    )
    return _UNBROKEN.sub("…", _NUMBER.sub("…", plain))[:LONGEST].strip()
