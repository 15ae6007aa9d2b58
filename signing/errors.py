"""Words for what went wrong in ``signing/``: values for a normal no, exceptions for what is broken.

``Rejected`` (the evidence says no) differs from ``Indeterminate`` (the evidence is missing): both are values
and go into reports. The exceptions are one family, each with a stable kebab ``code`` and both languages.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejected:
    """A check failed: the object is bad."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Indeterminate:
    """A check could not be made: evidence is missing, nothing is known to be bad."""

    code: str
    zh: str
    en: str


class SigningError(Exception):
    """The family. ``code`` is stable; ``zh`` and ``en`` are for people and never hold key material or input bytes."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.zh = zh
        self.en = en

    def __reduce__(self) -> tuple[type[SigningError], tuple[str, str, str]]:
        return type(self), (self.code, self.zh, self.en)


class Malformed(SigningError):
    """Bytes that cannot be read as what they should be (DER, PEM, key, certificate, seal, ciphertext)."""


class Unavailable(SigningError):
    """No provider can do this here: library missing, known-answer test failed, or the act is not permitted to it."""


class KeyFault(SigningError):
    """A private key produced a signature that its public key refuses: hardware or memory fault. Stop using the key."""
