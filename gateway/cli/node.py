"""What the operator's commands share: the node they ask about, opened no further than each of them needs.

Lists and timelines need no passphrase; whatever is encrypted does. What cannot be opened ends with exit 65, saying
which file and why, never with a traceback.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from gateway.lang import say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gateway.config import Config
    from gateway.keys.keyring import Keyring
    from gateway.store.journal import Reader, Tx
    from gateway.store.vault import Vault

F = TypeVar("F", bound=Callable[..., Any])

CONFIG = click.option(
    "--config", "path", default="tongban.toml", show_default=True, type=click.Path(), metavar="F",
    help=say("节点的配置文件", "the node's configuration file"),
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "JSON for machines"))
REVEAL = click.option("--reveal", is_flag=True, help=say("显示个人信息（会留痕）", "show personal data (recorded)"))
REASON = click.option("--reason", default="", metavar="TEXT", help=say("事由", "the reason"))


class Files:
    """A node at rest: its configuration and, each when it is first asked for, its store, keys and names."""

    def __init__(self, config: Config, base: Path) -> None:
        self.config = config
        self.base = base

    @property
    def store(self) -> Path:
        """The database file."""
        return self.base / self.config.node.data / "gateway.db"

    @functools.cached_property
    def reader(self) -> Reader:
        """Questions to the store, beside a running gateway or without one."""
        from gateway.store.beside import snapshot
        from gateway.store.journal import Reader

        return Reader(snapshot(self.store))

    @functools.cached_property
    def ring(self) -> Keyring:
        """The keys; needs the passphrase."""
        from gateway.keys.keyring import open_ring

        return open_ring(self.config, self.base)[0]

    @functools.cached_property
    def vault(self) -> Vault:
        """The content vault; needs the passphrase."""
        return self.ring.vault()

    @functools.cached_property
    def names(self) -> dict[str, str]:
        """Party id -> name as its card says, for people to read; nothing is believed of it."""
        import msgspec

        from gateway.exchange.card import Card, SignedCard

        found = {self.config.node.party: self.config.node.name}
        for peer in self.config.peer:
            try:
                signed = msgspec.json.decode((self.base / peer.card).read_bytes(), type=SignedCard)
                found[peer.id] = msgspec.json.decode(signed.card, type=Card).name
            except (OSError, msgspec.MsgspecError):
                found[peer.id] = peer.id
        return found

    def change(self) -> AbstractContextManager[Tx]:
        """One transaction beside a running gateway; it never adds a ledger leaf."""
        from gateway.store.beside import change

        return change(self.store)

    def wake(self, destination: str) -> bool:
        """Tell a running gateway that there is work; False when none answers (it will see for itself later)."""
        from gateway.ops.probe import call

        answer = call("POST", f"http://{self.config.listen.admin}/admin/v1/wake?destination={destination}", seconds=2)
        return answer.status == 200


def open_node(path: str) -> Files:
    """The node of a configuration file. Raises ``ConfigError``."""
    from gateway import config

    file = Path(path)
    return Files(config.load(file), file.parent)


def on_node(command: F) -> F:
    """Turn what cannot be read (configuration, keys, store, agreement) into exit 65, and a refusal into exit 1."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        import sqlite3

        from gateway.cli.output import finish, unreadable
        from gateway.config import ConfigError
        from gateway.problems import CATALOGUE, Refused
        from signing.errors import SigningError

        try:
            return command(*args, **kwargs)
        except ConfigError as error:
            unreadable(error.where, error.zh, error.en)
        except SigningError as error:
            unreadable(kwargs.get("path", ""), error.zh, error.en)
        except BrokenPipeError:
            raise  # whoever read our output has seen enough: click ends quietly
        except OSError as error:
            name = error.strerror or type(error).__name__
            unreadable(error.filename or kwargs.get("path", ""), f"文件读写失败（{name}）", f"cannot be used ({name})")
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "") or type(error).__name__
            unreadable(kwargs.get("path", ""), f"数据库读不出（{name}）", f"the store cannot be used ({name})")
        except Refused as refused:
            problem = CATALOGUE[refused.code]
            text = f"{say(problem.zh, problem.en)} [{refused.code}]"
            finish(False, {"code": refused.code, "text": text}, bool(kwargs.get("as_json")), [text])

    return run  # type: ignore[return-value]  # the same signature, wrapped


def no(zh: str, en: str, as_json: bool, code: str, **more: Any) -> NoReturn:
    """End with exit 1 and a sentence."""
    from gateway.cli.output import finish

    finish(False, {"code": code, "text": say(zh, en), **more}, as_json, [say(zh, en)])


def reveal(node: Files, reason: str, what: str) -> None:
    """Record who reveals personal data and why, durably, before anything is shown."""
    if len(reason.strip()) < 4:
        raise click.UsageError(say("--reveal 须用 --reason 说明事由", "--reveal needs --reason with a reason"))
    from gateway.config import ConfigError
    from gateway.ops.access import record

    path = node.store.parent / "access.log"
    try:
        record(path, what, reason.strip())
    except OSError as error:
        zh, en = (
            f"不能留痕，故不显示（{error.strerror}）",
            f"cannot be recorded, so nothing is shown ({error.strerror})",
        )
        raise ConfigError(str(path), zh, en) from None


def write_private(path: str, data: bytes) -> None:
    """Write a file that only its owner may read: it holds personal data. Put in place whole or not at all."""
    import os

    from gateway.config import ConfigError

    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(path, f"写不了文件（{error.strerror}）", f"cannot be written ({error.strerror})") from None
