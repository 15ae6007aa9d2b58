"""Opens a ``file_drop`` platform from its profile. ``base_url``: ``file:///absolute/path`` of a folder on this machine, or
``sftp://user@host:port/absolute/path``. For SFTP ``host_keys`` are the server's registered keys, and ``secrets`` hold the
``password``, or the ``key`` (OpenSSH or PKCS#8) with its ``key_password``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from adapters.base import Untranslatable
from adapters.documents import open_translator
from adapters.file_drop.channel import FileDrop
from adapters.file_drop.folder import Folder
from adapters.file_drop.local import LocalFolder
from adapters.file_drop.translate import Words, read_words
from adapters.profile import compile_profile
from adapters.registry import Opening, Platform
from adapters.taking import never_calls

if TYPE_CHECKING:
    from asyncssh import SSHKey


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile or settings that cannot work."""
    settings, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    words = read_words(profile)
    translator = open_translator(profile, opening.resources, settings.max_message_bytes)
    drop = FileDrop(settings.id, _folder(opening, words), words, translator, settings.can_ask)
    return Platform(
        id=settings.id, family=profile.text.family, profile=profile.text.name, translator=translator, channel=drop,
        authenticate=never_calls, inbox=drop, reach=drop.reach,
    )  # fmt: skip


def _folder(opening: Opening, words: Words) -> Folder:
    settings = opening.settings
    address = urlsplit(settings.base_url)
    seconds = settings.timeout_ms / 1000
    if address.scheme == "file" and not address.netloc and address.path.startswith("/"):
        return LocalFolder(Path(address.path), words.temporary, settings.file_owner, seconds)
    if address.scheme == "sftp" and address.path.startswith("/"):
        return _sftp(opening, words.temporary, seconds)
    zh, en = "base_url 应为 file:///路径 或 sftp://用户@主机/路径", "base_url is file:///path or sftp://user@host/path"
    raise Untranslatable("drop-address", zh, en, "base_url")


def _sftp(opening: Opening, temporary: str, seconds: float) -> Folder:
    settings = opening.settings
    try:
        import asyncssh
    except ImportError:
        zh, en = "SFTP 需要附加组件：pip install 'tongban[sftp]'", "SFTP needs an extra: pip install 'tongban[sftp]'"
        raise Untranslatable("extra-missing", zh, en, "base_url") from None
    from adapters.file_drop.sftp import Login, SftpFolder

    host, port, user, root = _address(settings.base_url)
    try:
        keys = tuple(asyncssh.import_public_key(line) for line in settings.host_keys)
    except (asyncssh.KeyImportError, ValueError):
        keys = ()
    if not keys:
        zh, en = "host_keys 须为 SFTP 服务器的主机公钥", "host_keys: the server's public keys, ssh-ed25519 ..."
        raise Untranslatable("host-key-missing", zh, en, "host_keys")
    password = opening.secrets.get("password")
    word = password.decode("utf-8", "replace") if password else None
    login = Login(host, port, user, keys, word, _key(opening.secrets))
    if login.password is None and login.key is None:
        zh, en = "secrets 须有 password 或 key", "secrets must name a password or a key"
        raise Untranslatable("login-missing", zh, en, "secrets")
    return SftpFolder(login, root, temporary, settings.file_owner, settings.connect_timeout_ms / 1000, seconds)


def _address(url: str) -> tuple[str, int, str, str]:
    """Host, port, user and path. Raises Untranslatable for an address that lacks one."""
    address = urlsplit(url)
    with suppress(ValueError):
        port = address.port or 22
        if address.username and address.hostname and not address.query and not address.fragment:
            return address.hostname, port, unquote(address.username), unquote(address.path)
    zh, en = "base_url 应为 sftp://用户@主机/路径", "base_url is sftp://user@host/path"
    raise Untranslatable("drop-address", zh, en, "base_url")


def _key(secrets: Mapping[str, bytes]) -> SSHKey | None:
    """Raises Untranslatable for what is no private key, or has another password."""
    import asyncssh

    if "key" not in secrets:
        return None
    try:
        return asyncssh.import_private_key(secrets["key"] + b"\n", secrets.get("key_password"))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        zh, en = "登录私钥读不出来，或口令不对", "the login key cannot be read, or its password is wrong"
        raise Untranslatable("key-unreadable", zh, en, "secrets.key") from None
