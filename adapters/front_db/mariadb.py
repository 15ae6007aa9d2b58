"""A front database on a MariaDB or MySQL server: ``mariadb://user@host:port/database``, by PyMySQL.

The session is strict (a value that does not fit is refused, not cut off), UTF-8 whatever the columns are, and in Beijing time.
"""

from __future__ import annotations

import socket
import ssl
from functools import partial
from typing import Any

from adapters.front_db.address import Address, driver, tls_of
from adapters.front_db.database import Database, Trouble
from adapters.front_db.threaded import Ways, opener

_REASONS = {
    1044: "no-rights", 1142: "no-rights", 1143: "no-rights", 1227: "no-rights",
    1045: "login-refused", 1130: "login-refused", 1698: "login-refused", 1251: "login-refused",
    1049: "no-database", 1146: "no-table", 1054: "no-table",
    1040: "busy", 1203: "busy", 1205: "busy", 1213: "busy", 1290: "busy", 1836: "busy",
    1969: "time-out", 3024: "time-out", 2002: "no-connection", 2003: "no-connection", 2005: "no-connection", 2026: "tls-refused",
    1053: "cut", 1317: "cut", 1927: "cut", 2006: "cut", 2013: "cut", 0: "cut",
}  # fmt: skip
_OF_A_ROW = frozenset(
    (1048, 1062, 1136, 1216, 1264, 1265, 1292, 1364, 1366, 1406, 1452, 1525, 1526, 1557, 1586, 1644, 3140, 3819, 4025)
)
"""A value that does not fit, a key that is taken, a rule or trigger of the table that says no."""
_SESSION = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+08:00'"


def database(address: Address, password: bytes, connect_ms: int, timeout_ms: int) -> Database:
    """Raises Untranslatable where the driver is not installed, or a certificate cannot be read."""
    driver("pymysql", "mariadb")
    open_ = partial(_open, address, password, tls_of(address), connect_ms / 1000, timeout_ms / 1000)
    return Database(opener(Ways("START TRANSACTION", open_, _sorted, _interrupt)), keep=True)


def _open(address: Address, password: bytes, tls: ssl.SSLContext | None, connect_s: float, timeout_s: float) -> Any:
    import pymysql

    db = pymysql.connect(
        host=address.host, port=address.port or 3306, unix_socket=address.socket or None, user=address.user,
        password=password, database=address.database, charset="utf8mb4", autocommit=True, init_command=_SESSION,
        connect_timeout=connect_s, read_timeout=connect_s, write_timeout=timeout_s,
        ssl=tls, ssl_disabled=tls is None, program_name="tongban",
    )  # fmt: skip
    db.cursor().execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    db._read_timeout = timeout_s  # from here on it is queries that are waited for
    return db


def _interrupt(db: Any) -> None:
    """The thread may be waiting for an answer that never comes."""
    try:
        db._sock.shutdown(socket.SHUT_RDWR)
    except (AttributeError, OSError):
        return


def _sorted(error: Exception) -> str | Trouble:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if number in _OF_A_ROW:
        return str(number)
    if isinstance(getattr(error, "original_exception", None), ssl.SSLError):
        return Trouble("tls-refused", str(number))
    if number in _REASONS and type(error).__module__.startswith("pymysql"):
        return Trouble(_REASONS[number], str(number))
    return Trouble("other", str(number or type(error).__name__))
