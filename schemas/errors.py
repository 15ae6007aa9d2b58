"""The one exception family of this room: input that does not fit the canonical form (规范数据不符)."""

from __future__ import annotations


class Invalid(ValueError):
    """Input does not fit.

    ``code`` is a stable kebab word, ``zh`` and ``en`` say the same sentence, ``path`` names the element
    (``applicant.party.id_number``), never its value. It is a ``ValueError`` so that a constructor called by msgspec
    may raise it: the decoder then reports where in the document it happened.
    """

    def __init__(self, code: str, zh: str, en: str, path: str = "") -> None:
        super().__init__(f"{path}: {en}" if path else en)
        self.code = code
        self.zh = zh
        self.en = en
        self.path = path

    def at(self, path: str) -> Invalid:
        """The same refusal, named at ``path``; what was known of the path below it is kept."""
        joined = f"{path}.{self.path}" if path and self.path else path or self.path
        return Invalid(self.code, self.zh, self.en, joined)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Invalid) and (self.code, self.path, self.zh) == (other.code, other.path, other.zh)

    def __hash__(self) -> int:
        return hash((self.code, self.path, self.zh))
