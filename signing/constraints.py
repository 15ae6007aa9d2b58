"""Name constraints (名称约束, RFC 5280 clauses 4.2.1.10 and 7): which names an authority lets those below it bear.

Directory names, DNS names, mail addresses, IP addresses and URIs are judged. A constraint on any other form, with a
``minimum`` or ``maximum``, or written so that it could be read in two ways, is not guessed at: ``read`` raises Malformed
and the authority is refused, because what it meant to forbid is not known. Directory names are compared folded (case,
width, spaces), as clause 7.1 asks: an excluded name must not slip through in capitals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from signing import der, names
from signing.errors import Malformed

MAIL: Final = 0x81
DNS: Final = 0x82
DIRECTORY: Final = 0xA4
URI: Final = 0x86
ADDRESS: Final = 0x87
MAX_NAMES: Final = 1000
MAX_COMPARISONS: Final = 1 << 16  # of names with constraints, for one certificate under one authority
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}", re.ASCII)
_URI = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/?#]*@)?([^@:/?#\[\]]+)(?::[0-9]*)?(?:[/?#].*)?", re.ASCII | re.DOTALL)

Rdn = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One alternative name: the tag of its form, and its content octets (for a directory name, the Name's DER)."""

    tag: int
    value: bytes


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """What an authority permits and excludes, form by form."""

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]

    def refused(self, bearer: Sequence[GeneralName]) -> GeneralName | None:
        """The first name that is excluded, or that has a form of which others are permitted; None if all may be borne.

        Malformed if a name of a constrained form cannot be read, or there are too many to compare.
        """
        if len(bearer) * (len(self.permitted) + len(self.excluded)) > MAX_COMPARISONS:
            raise _malformed("名称与约束过多", "too many names and constraints to compare")
        for name in bearer:
            permitted = [base for base in self.permitted if base.tag == name.tag]
            excluded = [base for base in self.excluded if base.tag == name.tag]
            if not permitted and not excluded:
                continue
            covers = _FORMS[name.tag]
            if any(covers(base.value, name.value) or _stands_for(base, name) for base in excluded):
                return name
            if permitted and not any(covers(base.value, name.value) for base in permitted):
                return name
        return None


def read(value: bytes) -> NameConstraints:
    """The constraints of an extension's value; Malformed if one is of a form that is not judged."""
    members = der.parse(value).as_seq(1, 2)
    trees: dict[int, tuple[GeneralName, ...]] = {0xA0: (), 0xA1: ()}
    if [member.tag for member in members] not in ([0xA0], [0xA1], [0xA0, 0xA1]):
        raise _malformed("结构非法", "illegal structure")
    for member in members:
        trees[member.tag] = tuple(_subtree(one) for one in member.children(MAX_NAMES))
        if not trees[member.tag]:
            raise _malformed("没有内容", "nothing in it")
    return NameConstraints(trees[0xA0], trees[0xA1])


def names_of(subject: bytes, alternative: bytes | None) -> list[GeneralName]:
    """Every name a certificate bears: its subject, mail addresses in it, and its alternative names (the extension's
    value). Malformed where they cannot be read."""
    found = [GeneralName(DIRECTORY, subject)] if subject != der.seq() else []
    mails = [text for oid, text in names.attributes(subject) if oid == names.OIDS["E"]]
    found += [GeneralName(MAIL, text.encode()) for text in mails]
    if alternative is not None:
        found += [_general_name(one) for one in der.parse(alternative).as_seq(1, MAX_NAMES)]
    return found


def shown(name: GeneralName) -> str:
    """A name in words, escaped."""
    if name.tag == DIRECTORY:
        return names.display(name.value)
    if name.tag == ADDRESS:
        return name.value.hex()
    return names.escape(name.value.decode("utf-8", "replace"))


def _subtree(element: der.Tlv) -> GeneralName:
    base, *bounds = element.as_seq(1, 3)
    name = _general_name(base)
    wellformed = _BASES.get(name.tag)
    if bounds or wellformed is None:
        raise _malformed("所约束的名称形式不支持", "a form of constraint that is not judged")
    if not wellformed(name.value):
        raise _malformed("约束写法有歧义", "a constraint that could be read in two ways")
    return name


def _general_name(element: der.Tlv) -> GeneralName:
    if element.tag & 0xC0 != 0x80:
        raise _malformed("名称形式非法", "an illegal form of name")
    if element.tag != DIRECTORY:
        return GeneralName(element.tag, element.value)
    inside = element.children(1)
    if not inside:
        raise _malformed("目录名为空", "a directory name without content")
    names.attributes(inside[0].raw)
    return GeneralName(DIRECTORY, inside[0].raw)


def _malformed(zh: str, en: str) -> Malformed:
    return Malformed("name-constraints-form", zh, en)


# --- does a constraint cover a name? ------------------------------------------------------------------------------------


def _directory(base: bytes, name: bytes) -> bool:
    wanted = _folded(base)
    return _folded(name)[: len(wanted)] == wanted


def _folded(name: bytes) -> list[Rdn]:
    parts = (part.children() for part in der.parse(name).as_seq())
    return [frozenset(_attribute(one) for one in part) for part in parts]


def _attribute(element: der.Tlv) -> tuple[str, str]:
    ((oid, text),) = names.attributes(der.seq(der.set_of(element.raw)))
    return oid, " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _dns(base: bytes, name: bytes) -> bool:
    host = _text(name).removesuffix(".")
    wildcard = host.startswith("*.")
    if not _HOST.fullmatch(host[2:] if wildcard else host):
        raise _malformed("域名写法非法", "an illegal DNS name")
    domain = _text(base)
    return not domain or host == domain or host.endswith("." + domain)


def _stands_for(base: GeneralName, name: GeneralName) -> bool:
    """``*.example.com`` may stand for the excluded a.example.com."""
    wildcard = name.tag == DNS and name.value.startswith(b"*.")
    return wildcard and _text(base.value).partition(".")[2] == _text(name.value)[2:].removesuffix(".")


def _mail(base: bytes, name: bytes) -> bool:
    """``user@host``: that mailbox; ``host``: every mailbox there; ``.domain``: of every host below."""
    local, at, host = name.decode("utf-8", "replace").rpartition("@")
    if not at or not local or not _HOST.fullmatch(host.lower()):
        raise _malformed("邮箱写法非法", "an illegal mail address")
    wanted, at, domain = _exact(base).rpartition("@")
    if at:
        return (wanted, domain.lower()) == (local, host.lower())
    return _of_host(domain.lower(), host.lower())


def _uri(base: bytes, name: bytes) -> bool:
    found = _URI.fullmatch(_text(name))
    host = found[1] if found else ""
    if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
        raise _malformed("网址没有主机名", "a URI without a host name")
    return _of_host(_text(base), host)


def _of_host(domain: str, host: str) -> bool:
    return host.endswith(domain) if domain.startswith(".") else host == domain


def _address(base: bytes, name: bytes) -> bool:
    if len(name) not in (4, 16):
        raise _malformed("IP 地址长度非法", "an illegal length of an IP address")
    half = len(base) // 2
    return half == len(name) and all(n & mask == b & mask for n, b, mask in zip(name, base, base[half:], strict=False))


def _masked(base: bytes) -> bool:
    """An address and a mask whose ones come first."""
    mask = int.from_bytes(base[len(base) // 2 :], "big")
    width = len(base) * 4
    return len(base) in (8, 32) and mask == (1 << width) - (1 << width - mask.bit_count())


def _exact(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise _malformed("名称不是 ASCII", "a name outside ASCII") from None


def _text(value: bytes) -> str:
    return _exact(value).lower()


def _is_domain(value: bytes) -> bool:
    text = _text(value)
    return not text or _HOST.fullmatch(text) is not None


def _is_host_or_below(value: bytes) -> bool:
    return _HOST.fullmatch(_text(value).removeprefix(".")) is not None


def _is_mail(value: bytes) -> bool:
    return _is_host_or_below(value.rpartition(b"@")[2]) and not value.startswith(b"@") and b"@." not in value


_FORMS: Final[dict[int, Callable[[bytes, bytes], bool]]] = {
    DIRECTORY: _directory, DNS: _dns, MAIL: _mail, URI: _uri, ADDRESS: _address,
}  # fmt: skip
_BASES: Final[dict[int, Callable[[bytes], bool]]] = {
    DIRECTORY: lambda _: True, DNS: _is_domain, MAIL: _is_mail, URI: _is_host_or_below, ADDRESS: _masked,
}  # fmt: skip
