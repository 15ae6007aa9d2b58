"""The identifier of an electronic certificate (电子证照标识, GB/T 36904-2018): root, type, issuer, serial, version, check.

Written strictly; read as others write it. What is not after the standard is a finding with a code of
``signing.ecert_reasons``; whether a finding refuses the certificate is the reader's setting, because identifiers in the
field deviate (issuers of six digits, wrong check characters) and their certificates are good all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from signing.errors import Malformed

ROOT: Final = "1.2.156.3005.2"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_READABLE: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*(?:\.[0-9A-Za-z_-]{1,64}){4}\.[0-9A-Za-z]")
_MAX: Final = 256
_FORMS: Final[dict[str, tuple[str, re.Pattern[str]]]] = {
    "ecert-id-root": ("root", re.compile(re.escape(ROOT))),
    "ecert-id-type": ("type_code", re.compile(r"[0-9A-Z]{18}[0-9]{3}")),
    "ecert-id-issuer": ("issuer", re.compile(r"[0-9A-Z]{18}")),
    "ecert-id-serial": ("serial", re.compile(r"[0-9A-Z]{1,64}")),
    "ecert-id-version": ("version", re.compile(r"(?!000)[0-9]{3}")),
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """``type_code``: 18 of the defining body's USCC and a number of three digits; ``issuer``: USCC; ``version``: 001 at
    first, one more at each re-issue."""

    root: str
    type_code: str
    issuer: str
    serial: str
    version: str
    check: str

    def __str__(self) -> str:
        return ".".join((self.root, self.type_code, self.issuer, self.serial, self.version, self.check))

    @property
    def series(self) -> str:
        """What all versions of one certificate share: everything but version and check."""
        return ".".join((self.root, self.type_code, self.issuer, self.serial))

    @property
    def wanted(self) -> str:
        """The check character that the other parts ask for."""
        return check_character(self.type_code + self.issuer + self.serial + self.version)

    @property
    def findings(self) -> tuple[str, ...]:
        """What is not after the standard, as codes of ``signing.ecert_reasons``; nothing for a good one."""
        wrong = tuple(code for code, (part, form) in _FORMS.items() if not form.fullmatch(getattr(self, part)))
        return wrong if self.check == self.wanted else (*wrong, "ecert-id-check")

    def reissued(self) -> Identifier:
        """The next version of the same certificate; ValueError after 999."""
        return make(self.type_code, self.issuer, self.serial, int(self.version) + 1)


def check_character(body: str) -> str:
    """ISO 7064 MOD 37,36 over type, issuer, serial and version, without root and dots; any character outside [0-9A-Z] is
    left out, as the field does."""
    remainder = 36
    for character in body:
        value = _ALPHABET.find(character)
        if value >= 0:
            remainder = ((remainder + value) % 36 or 36) * 2 % 37
    return _ALPHABET[(37 - remainder) % 36]


def make(type_code: str, issuer: str, serial: str, version: int = 1) -> Identifier:
    """An identifier after the standard; ValueError names the part that is not."""
    made = Identifier(ROOT, type_code, issuer, serial, f"{version:03d}", "")
    made = replace(made, check=made.wanted)
    if made.findings:
        raise ValueError(f"no certificate identifier: {', '.join(made.findings)}")
    return made


def parse(text: str) -> Identifier:
    """The parts of an identifier as somebody wrote it; Malformed if it has no such parts. See ``Identifier.findings``."""
    if len(text) > _MAX or not _READABLE.fullmatch(text):
        raise Malformed(
            "ecert-id-form",
            "电子证照标识应为根码、类型、颁发机构、流水号、版本、校验位六段",
            "a certificate identifier has root, type, issuer, serial, version and check",
        )
    return Identifier(*text.rsplit(".", 5))
