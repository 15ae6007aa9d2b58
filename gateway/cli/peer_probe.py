"""``tongban peer probe``: which signature profile (签名约定) a partner's sample fits, as the TOML to write. Offline, a diagnosis:
verification never tries, it follows the profile that somebody has written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.sm import JSON, PASSPHRASE_FILE, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from signing.probe import Finding
    from signing.sm2 import PublicKey

LIMIT = 16 << 20
SAMPLE = 1 << 20
Keys = list[tuple[str, "PublicKey"]]


@click.command(help=say("判断对方样本符合哪种签名约定", "Which signature profile a partner's sample fits"))
@options(
    click.option("--key", required=True, metavar="K", help=say(
        "对方公钥或证书；--ciphertext 时为我方私钥", "its public key or certificate; our private key for --ciphertext")),
    click.option("--in", "source", metavar="F", help=say("被签名的报文", "the message that was signed")),
    click.option("--sig", metavar="F", help=say("签名样本", "the sample of a signature")),
    click.option("--ciphertext", metavar="F", help=say("密文样本", "the sample of a ciphertext")),
    click.option("--id", "ids", multiple=True, metavar="ID", help=say(
        "还要试的签名者标识，可多次", "another signer id to try, may be repeated")),
    PASSPHRASE_FILE, PROVIDER, JSON,
)  # fmt: skip
def probe(
    key: str,
    source: str | None,
    sig: str | None,
    ciphertext: str | None,
    ids: tuple[str, ...],
    passphrase_file: str | None,
    provider: str,
    json: bool,
) -> None:
    """Exit 0 one profile fits, 1 none (or only with a defect that no profile expresses), 2 several: the sample is too poor."""
    context = Context(json)
    if ciphertext is not None and source is sig is None and not ids:
        _tell(context, _ciphertext(context, provider, key, ciphertext, passphrase_file), [])
    elif ciphertext is None and source is not None and sig is not None:
        _tell(context, *_signature(context, provider, key, source, sig, ids))
    else:
        raise click.UsageError(say("给出 --in 与 --sig，或 --ciphertext", "give --in and --sig, or --ciphertext"))


def _signature(
    context: Context, provider: str, key: str, source: str, sig: str, ids: tuple[str, ...]
) -> tuple[list[Finding], Sequence[str]]:
    from gateway.cli.output import read_bytes
    from signing import probe as diagnosis

    keys, message = _public(key), read_bytes(source, LIMIT)
    engine = context.open(provider)
    found = [
        one
        for sample in _samples(read_bytes(sig, SAMPLE))
        for _, public in keys[:1]
        for one in diagnosis.signature(engine, public, message, sample, (*diagnosis.IDS, *ids))
    ]
    whole = [one for one in found if one.defect is None]
    return whole or found, [form for form, _ in keys]


def _ciphertext(
    context: Context, provider: str, key: str, ciphertext: str, passphrase_file: str | None
) -> list[Finding]:
    from gateway.cli.output import read_bytes
    from gateway.cli.sm import private_key
    from signing import probe as diagnosis

    private, samples = private_key(context, key, passphrase_file), _samples(read_bytes(ciphertext, SAMPLE))
    engine = context.open(provider)
    return [one for sample in samples for one in diagnosis.ciphertext(engine, private, sample)]


def _samples(data: bytes) -> list[bytes]:
    """The sample as it is, and without the line end that an editor left."""
    return list(dict.fromkeys((data, data.rstrip(b"\r\n"))))


def _public(path: str) -> Keys:
    """The key, under the name of each form that reads it; exit 65 when none does."""
    from gateway.cli.output import read_bytes, unreadable
    from signing import certs, keys
    from signing import probe as diagnosis
    from signing.errors import Malformed

    data = read_bytes(path, SAMPLE)
    try:
        if b"-----BEGIN CERTIFICATE" in data:
            public = certs.load(data)[0].public_key
            return [("", public)] if public is not None else unreadable(path, "不是 SM2 证书", "no SM2 certificate")
        if b"-----BEGIN" in data:
            return [("", keys.public_from_pem(data))]
    except (Malformed, IndexError):
        unreadable(path, "读不出公钥", "holds no public key that can be read")
    found = [
        (f'public_key = "{one.public_key}", text = "{one.text}"', public)
        for sample in _samples(data)
        for one, public in diagnosis.public_key(sample)
    ]
    return found or unreadable(path, "读不出公钥", "holds no public key that can be read")


def _tell(context: Context, found: list[Finding], forms: Sequence[str]) -> None:
    from gateway.cli.output import finish

    whole = [one for one in found if one.defect is None]
    ok = True if len(whole) == 1 else None if whole else False
    data: dict[str, Any] = {
        "fits": [_data(one) for one in whole], "defects": [_data(one) for one in found if one.defect is not None],
        "key": [form for form in forms if form],
    }  # fmt: skip
    finish(ok, data, context.json, _lines(found, forms, ok))


def _data(one: Finding) -> dict[str, Any]:
    import msgspec

    from signing.profiles import to_toml

    words = [
        {"text": say(said.zh, said.en)} | ({"ask": say(said.ask_zh, said.ask_en)} if said.ask_zh else {})
        for said in one.words()
    ]
    profile = {"profile": msgspec.to_builtins(one.profile), "toml": to_toml(one.profile), "words": words}
    return profile | ({"defect": one.defect.code} if one.defect is not None else {})


def _lines(found: list[Finding], forms: Sequence[str], ok: bool | None) -> Iterator[str]:
    if any(forms):
        yield say(f"公钥写法：{forms[0]}", f"the public key's form: {forms[0]}")
    if not found:
        yield say("没有一种约定符合：核对公钥、报文是否原样、标识（--id）",
                  "no profile fits: check the key, whether the message is unchanged, and the id (--id)")  # fmt: skip
    elif ok is None:
        yield say(f"有 {len(found)} 种约定符合，样本不足以判断，请再取一个样本",
                  f"{len(found)} profiles fit: the sample does not decide, get another one")  # fmt: skip
    elif not ok:
        yield say("没有一种约定符合；对方有以下缺陷，须由对方改正",
                  "no profile fits; the partner has this defect and has to mend it")  # fmt: skip
    for one in found:
        yield from _profile(one)


def _profile(one: Finding) -> Iterator[str]:
    from signing.profiles import to_toml

    for said in one.words():
        yield f"  · {say(said.zh, said.en)}"
        if said.ask_zh:
            yield f"    → {say(said.ask_zh, said.ask_en)}"
    if one.defect is None:
        yield say("写入该平台或对端的约定：", "to be written into the profile of this platform or partner:")
        yield "[signing.signature]"
        yield to_toml(one.profile).rstrip("\n")
