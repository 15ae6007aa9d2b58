"""``tongban sm``: SM2, SM3 and SM4 on files, with keys as OpenSSL reads and writes them.

Every command says which provider answered and why (``provider``, ``reason``). A signature that is bad in any
way is a no (exit 1); a file that cannot be read as what it should be is exit 65; heavy imports wait until a
command runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway.lang import say

if TYPE_CHECKING:
    from signing.errors import SigningError
    from signing.providers import Provider
    from signing.sm2 import PrivateKey, PublicKey, Signer

PASSPHRASE = "TONGBAN_PASSPHRASE"  # noqa: S105 - the name of a variable
_SMALL = 1 << 20
_SECRET_LIMIT = 64 << 20

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Context:
    """What one command says at its end: the provider it used and whether machines listen."""

    def __init__(self, json: bool, out: str = "") -> None:
        self.json = json
        self._quiet = out == "-"  # the output itself is on standard output
        self.provider: Provider | None = None

    def data(self, reason: str, **more: object) -> dict[str, object]:
        """The fields that every answer has."""
        return {"provider": self.provider.uri if self.provider else None, "reason": reason, **more}

    def done(self, ok: bool | None, reason: str, zh: str, en: str, **more: object) -> NoReturn:
        """End with an answer."""
        from gateway.cli.output import finish

        finish(ok, self.data(reason, text=say(zh, en), **more), self.json, [] if ok and self._quiet else [say(zh, en)])

    def unreadable(self, where: str, error: SigningError) -> NoReturn:
        """End with exit 65; machines get their object all the same."""
        import msgspec

        from gateway.cli.output import unreadable

        if self.json:
            answer = self.data(error.code, text=say(error.zh, error.en), where=where)
            click.echo(msgspec.json.encode({"ok": None, **answer}).decode())
        unreadable(where, error.zh, error.en)

    def open(self, uri: str, *, failing: bool | None = False) -> Provider:
        """The provider, or the end: an unknown URI is wrong usage, one that does not work here is ``failing``."""
        from signing.errors import Unavailable
        from signing.providers import open_provider

        try:
            self.provider = open_provider(uri)
        except Unavailable as error:
            if error.code == "provider-unknown":
                raise click.UsageError(say(error.zh, error.en)) from None
            self.done(failing, error.code, error.zh, error.en)
        return self.provider


def options(*chosen: Decorator) -> Decorator:
    """Several options as one decorator, in the order they are shown."""

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(chosen):
            function = option(function)
        return function

    return apply


JSON = click.option("--json", "json", is_flag=True, help=say("末行输出一个 JSON 对象", "end with one JSON object"))
PROVIDER = click.option(
    "--provider", default="auto", show_default=True, help=say("SM2 提供者 URI", "URI of the SM2 provider")
)
_ID = click.option(
    "--id", "signer_id", default="1234567812345678", show_default=True, help=say("签名者标识", "signer id")
)
_ENCODING = click.option(
    "--encoding",
    type=click.Choice(["der", "raw"]),
    default="der",
    show_default=True,
    help=say("签名或密文的编码，从不猜测", "encoding of signature or ciphertext, never guessed"),
)
_IN = click.option(
    "--in", "source", required=True, metavar="F", help=say("输入文件，- 为标准输入", "input, - for stdin")
)
_KEY_OUT = say("输出文件", "output file")
_OUT = click.option("--out", required=True, metavar="F", help=_KEY_OUT)
_KEY = click.option(
    "--key",
    required=True,
    metavar="K",
    help=say("私钥 PEM，或密码机密钥 sdf:/库?key=1", "private key PEM, or a machine's: sdf:/library?key=1"),
)
_PUB = click.option("--pub", required=True, metavar="P.pem", help=say("公钥 PEM", "public key PEM"))
PASSPHRASE_FILE = click.option(
    "--passphrase-file",
    metavar="F",
    help=say(f"口令文件（首行）；否则取环境变量 {PASSPHRASE} 或询问", f"its first line; else {PASSPHRASE} or a prompt"),
)


@click.group("sm", help=say("文件的 SM2/SM3/SM4 运算。", "SM2/SM3/SM4 on files."))
def group() -> None:
    """SM2, SM3 and SM4 on files."""


@group.command(help=say("生成 SM2 密钥对。", "Make an SM2 key pair."))
@options(_OUT, _PUB)
@click.option("--no-passphrase", is_flag=True, help=say("私钥不加密", "leave the private key unencrypted"))
@click.option("--force", is_flag=True, help=say("覆盖已有文件", "overwrite existing files"))
@options(PASSPHRASE_FILE, PROVIDER, JSON)
def keygen(
    out: str, pub: str, no_passphrase: bool, force: bool, passphrase_file: str | None, provider: str, json: bool
) -> None:
    """PKCS#8 (PBES2, SM4-CBC) and SPKI files that OpenSSL reads; the private one is 0600."""
    from gateway.cli.sm_files import Exists, write_new
    from signing import keys

    context = Context(json)
    engine = context.open(provider)
    secret = None if no_passphrase else _passphrase(context, passphrase_file, fresh=True)
    try:
        private = engine.generate()
        pem = keys.private_to_pem(private, secret, salt=engine.random(16), iv=engine.random(16))
        write_new([(out, pem, 0o600), (pub, keys.public_to_pem(private.public), 0o644)], force=force)
    except Exists as error:
        path = str(error)
        context.done(False, "file-exists", f"{path} 已存在（--force 可覆盖）", f"{path} exists (--force overwrites)")
    except broken() as error:
        failed(context, error)
    context.done(True, "ok", f"已写入 {out} 与 {pub}", f"{out} and {pub} written", key_id=private.public.thumbprint)


@group.command(help=say("给文件签名（SM2，含 Z_A）。", "Sign a file (SM2 with Z_A)."))
@options(_KEY, _IN, _OUT, _ID, _ENCODING, PASSPHRASE_FILE, PROVIDER, JSON)
def sign(
    key: str,
    source: str,
    out: str,
    signer_id: str,
    encoding: str,
    passphrase_file: str | None,
    provider: str,
    json: bool,
) -> None:
    """The signature is checked with the public key before it is written."""
    from gateway.cli.sm_files import digest_file, write
    from signing import sm2

    context = Context(json, out)
    engine = context.open(provider)
    signer = key_signer(context, engine, key, passphrase_file)
    e = digest_file(source, sm2.za(signer.public, _id(signer_id)))
    try:
        r, s = signer.sign_digest(e)
        write(out, sm2.encode(r, s, sm2.Encoding(encoding)))
    except broken() as error:
        failed(context, error)
    context.done(True, "ok", f"已签名：{out}", f"signed: {out}", key_id=signer.key_id)


@group.command(help=say("验证文件的签名。", "Verify the signature of a file."))
@options(_PUB, _IN)
@click.option("--sig", required=True, metavar="S", help=say("签名文件", "signature file"))
@options(_ID, _ENCODING, PROVIDER, JSON)
def verify(pub: str, source: str, sig: str, signer_id: str, encoding: str, provider: str, json: bool) -> None:
    """Exit 0 valid, 1 invalid, 2 cannot tell."""
    from gateway.cli.output import read_bytes
    from gateway.cli.sm_files import digest_file
    from signing import sm2
    from signing.errors import Malformed

    context = Context(json)
    engine = context.open(provider, failing=None)
    public = public_key(context, pub)
    e = digest_file(source, sm2.za(public, _id(signer_id)))
    try:
        r, s = sm2.decode(read_bytes(sig, _SMALL), sm2.Encoding(encoding))
    except Malformed as error:
        context.done(False, error.code, f"签名无效：{error.zh}", f"invalid: {error.en}")
    if engine.verify_digest(public, e, r, s):
        context.done(True, "ok", "签名有效", "the signature is valid", key_id=public.thumbprint)
    context.done(
        False,
        "wrong-signature",
        "签名无效：内容、密钥或签名者标识不符",
        "invalid: content, key or signer id differ",
    )


@group.command("hash", help=say("文件的 SM3 摘要。", "The SM3 digest of a file."))
@click.argument("file", required=False)
@click.option("--in", "source", metavar="F", help=say("输入文件，- 为标准输入", "input, - for stdin"))
@JSON
def hash_(file: str | None, source: str | None, json: bool) -> None:
    """Hex, as ``openssl dgst -sm3`` prints it."""
    from gateway.cli.output import finish
    from gateway.cli.sm_files import digest_file

    chosen = source or file
    if chosen is None or (source and file):
        raise click.UsageError(say("请给出一个输入文件（--in F）", "give one input file (--in F)"))
    value = digest_file(chosen, b"").hex()
    finish(True, {"provider": None, "reason": "ok", "sm3": value}, json, [value])


@group.command(
    help=say("加密：--pub 用 SM2，--sm4-key 用 SM4-GCM。", "Encrypt: --pub with SM2, --sm4-key with SM4-GCM.")
)
@click.option("--pub", metavar="P.pem", help=say("收件人公钥（SM2）", "the receiver's public key (SM2)"))
@click.option(
    "--sm4-key", metavar="F", help=say("16 字节或 32 位十六进制的 SM4 密钥文件", "file: 16 bytes or 32 hex digits")
)
@options(_IN, _OUT, _ENCODING, PROVIDER, JSON)
def encrypt(
    pub: str | None, sm4_key: str | None, source: str, out: str, encoding: str, provider: str, json: bool
) -> None:
    """SM2 gives the DER form of GM/T 0009, or 04||C1||C3||C2 as raw; SM4 a stream of sealed segments."""
    from gateway.cli import sm_files
    from signing import sm2

    context = Context(json, out)
    engine = context.open(provider)
    _one_of(pub, sm4_key, "--pub", "--sm4-key")
    try:
        if sm4_key is not None:
            sm_files.seal_file(source, out, sm_files.read_sm4_key(sm4_key), engine.random(12))
        elif pub is not None:
            public = public_key(context, pub)
            plaintext = sm_files.read(source, _SECRET_LIMIT)
            if not plaintext:
                context.done(False, "empty-plaintext", "SM2 不能加密空文件", "SM2 cannot encrypt an empty file")
            sealed = engine.encrypt(public, plaintext)
            sm_files.write(out, sealed if encoding == "raw" else sm2.ciphertext_to_der(sealed))
    except broken() as error:
        failed(context, error)
    context.done(True, "ok", f"已加密：{out}", f"encrypted: {out}")


@group.command(
    help=say("解密：--key 用 SM2，--sm4-key 用 SM4-GCM。", "Decrypt: --key with SM2, --sm4-key with SM4-GCM.")
)
@click.option("--key", metavar="K.pem", help=say("私钥 PEM（SM2）", "private key PEM (SM2)"))
@click.option("--sm4-key", metavar="F", help=say("SM4 密钥文件", "file with the SM4 key"))
@options(_IN, _OUT, _ENCODING, PASSPHRASE_FILE, PROVIDER, JSON)
def decrypt(
    key: str | None,
    sm4_key: str | None,
    source: str,
    out: str,
    encoding: str,
    passphrase_file: str | None,
    provider: str,
    json: bool,
) -> None:
    """Nothing is written unless the whole input proved authentic; every failure reads the same."""
    from gateway.cli import sm_files
    from signing import sm2

    context = Context(json, out)
    engine = context.open(provider)
    _one_of(key, sm4_key, "--key", "--sm4-key")
    try:
        if sm4_key is not None:
            sm_files.open_file(source, out, sm_files.read_sm4_key(sm4_key))
        elif key is not None:
            private = private_key(context, key, passphrase_file)
            sealed = sm_files.read(source, _SECRET_LIMIT + 256)
            raw = sealed if encoding == "raw" else sm2.ciphertext_from_der(sealed)
            sm_files.write(out, engine.decrypt(private, raw), 0o600)
    except broken() as error:
        failed(context, error)
    context.done(True, "ok", f"已解密：{out}", f"decrypted: {out}")


def broken() -> tuple[type[Exception], ...]:
    from signing.errors import SigningError

    return SigningError, OSError


def failed(context: Context, error: Exception) -> NoReturn:
    """The end of an act that could not be done."""
    if isinstance(error, OSError):
        where, what = error.filename or "", error.strerror or type(error).__name__
        context.done(False, "cannot-write", f"写不了 {where}（{what}）", f"cannot write {where} ({what})")
    code, zh, en = (getattr(error, name) for name in ("code", "zh", "en"))
    context.done(False, code, zh, en)


def _one_of(first: str | None, second: str | None, *names: str) -> None:
    if (first is None) == (second is None):
        raise click.UsageError(
            say(f"{names[0]} 与 {names[1]} 必须且只能给一个", f"give either {names[0]} or {names[1]}")
        )


def _id(text: str) -> bytes:
    """The signer id as bytes; an empty one is an id like another."""
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > 8191:
        raise click.UsageError(say("签名者标识不超过 8191 字节", "a signer id has at most 8191 bytes"))
    return data


def public_key(context: Context, path: str) -> PublicKey:
    from gateway.cli.output import read_bytes
    from signing import keys
    from signing.errors import Malformed

    try:
        return keys.public_from_pem(read_bytes(path, _SMALL))
    except Malformed as error:
        context.unreadable(path, error)


def key_signer(context: Context, engine: Provider, key: str, passphrase_file: str | None) -> Signer:
    """The signer of a key in a file, or in a machine: ``sdf:/library?key=1``, whose PIN comes as a passphrase does and is
    presented once."""
    from signing.errors import Unavailable
    from signing.providers import sdf
    from signing.providers.sdf_session import Pin
    from signing.sm2 import Signer

    if not key.startswith(sdf.SCHEME):
        return Signer(engine, private_key(context, key, passphrase_file))
    try:
        where, index, use = sdf.split_key(key)
        machine = context.open(where)
        assert isinstance(machine, sdf.Sdf)  # noqa: S101 - its scheme says so
        return Signer(machine, machine.key(index, Pin(_passphrase(context, passphrase_file, fresh=False)), use))
    except Unavailable as error:
        if error.code == "provider-unknown":
            raise click.UsageError(say(error.zh, error.en)) from None
        context.done(False, error.code, error.zh, error.en)


def private_key(context: Context, path: str, passphrase_file: str | None) -> PrivateKey:
    from gateway.cli.output import read_bytes
    from signing import keys
    from signing.errors import Malformed

    pem = read_bytes(path, _SMALL)
    try:
        try:
            return keys.private_from_pem(pem, None)
        except Malformed as error:
            if error.code != "passphrase-needed":
                raise
        return keys.private_from_pem(pem, _passphrase(context, passphrase_file, fresh=False))
    except Malformed as error:
        context.unreadable(path, error)


def _passphrase(context: Context, path: str | None, *, fresh: bool) -> bytes:
    """From the file, the environment or a prompt, in this order; wrong usage where none can be had."""
    from gateway.cli.output import read_bytes

    if path is not None:
        secret = read_bytes(path, _SMALL).splitlines()[:1]
        found = secret[0] if secret else b""
    elif os.environ.get(PASSPHRASE):
        found = os.environb[PASSPHRASE.encode()]
    elif sys.stdin.isatty():
        prompt = say("口令", "Passphrase")
        found = str(click.prompt(prompt, hide_input=True, confirmation_prompt=fresh, err=True)).encode()
    else:
        found = b""
    if not found:
        zh, en = ("；或 --no-passphrase", "; or --no-passphrase") if fresh else ("", "")
        zh = f"需要口令：--passphrase-file、环境变量 {PASSPHRASE}，或在终端输入{zh}"
        en = f"a passphrase is needed: --passphrase-file, {PASSPHRASE} or a terminal{en}"
        raise click.UsageError(say(zh, en))
    return found
