"""Sessions with a cryptographic machine (密码机): one thread each, so that a call that never returns holds nobody else.

A C call cannot be taken back. Each session therefore lives in a thread of its own that makes all its calls; whoever
waits longer than allowed goes away with ``sdf-timeout``, and the session is closed by its thread if the call returns
after all. Nothing here is tried twice.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Future
from ctypes import byref, c_uint64, c_void_p
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from signing.errors import SigningError
from signing.providers.sdf_abi import (
    NOT_THE_PIN,
    REFUSED,
    SM2_ENCRYPT,
    SM2_SIGN,
    SM4_CBC,
    SM4_ECB,
    DeviceInfo,
    Library,
    MachineError,
)
from signing.sm2 import PublicKey, decrypt_failed, split_ciphertext

T = TypeVar("T")
BLOCK: Final = 16
WAIT_S: Final = 30.0
SPARE: Final = 256  # room beyond what is needed: libraries copy whole structures of their own size
_EXPORTS: Final = {"sign": "ExportSignPublicKey_ECC", "encrypt": "ExportEncPublicKey_ECC"}


def timed_out(act: str) -> MachineError:
    """The machine did not answer in time."""
    return MachineError("sdf-timeout", f"密码机 {act}：超时无应答", f"cryptographic machine, {act}: no answer in time")


class Pin:
    """The PIN and the one attempt it gets: machines lock themselves after a few wrong ones. A refusal leaves ``mark``
    behind, and while that file is there nobody tries again, in this process or after a restart (L11)."""

    def __init__(self, secret: bytes, mark: Path | None = None) -> None:
        self._secret = secret
        self._mark = mark
        self._refused = False
        self._lock = threading.Lock()

    def present(self, attempt: Callable[[bytes], None]) -> None:
        """Make the attempt, unless one has been refused before."""
        if not self._lock.acquire(timeout=WAIT_S):  # another attempt hangs: how it ends is not known
            raise timed_out("PIN")
        try:
            if self._refused or (self._mark is not None and self._mark.exists()):
                raise _stays_refused(self._mark)
            self._try(attempt)
        finally:
            self._lock.release()

    def _try(self, attempt: Callable[[bytes], None]) -> None:
        try:
            attempt(self._secret)
        except MachineError as error:
            if error.code in NOT_THE_PIN:
                raise
            self._refuse()
            raise MachineError(REFUSED, error.zh, error.en) from None

    def _refuse(self) -> None:
        self._refused = True
        try:
            if self._mark is not None:
                self._mark.touch(mode=0o600)
        except OSError:
            pass  # this process has stopped trying all the same


def _stays_refused(mark: Path | None) -> MachineError:
    where = f"，更正口令后删除 {mark}" if mark is not None else ""
    there = f"; correct it, then remove {mark}" if mark is not None else ""
    return MachineError(REFUSED, f"密码机口令曾被拒绝，不再尝试{where}", f"the machine's PIN was refused before{there}")


class Device:
    """An open device and how many sessions stand on it; the last one to leave closes it."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._handle = c_void_p()
        self._sessions = 0
        self._lock = threading.Lock()

    def open_session(self) -> c_void_p:
        """A session's handle; opens the device for the first."""
        with self._lock:
            if not self._sessions:
                self.library.call("OpenDevice", byref(self._handle))
            session = c_void_p()
            try:
                self.library.call("OpenSession", self._handle, byref(session))
                self._sessions += 1
            finally:
                if not self._sessions:
                    self._close()
            return session

    def close_session(self, session: c_void_p) -> None:
        """Close a session, and the device after its last one; what the machine says to that changes nothing."""
        with self._lock:
            _quietly(self.library, "CloseSession", session)
            self._sessions -= 1
            if not self._sessions:
                self._close()

    def _close(self) -> None:
        _quietly(self.library, "CloseDevice", self._handle)


def _quietly(library: Library, name: str, handle: c_void_p) -> None:
    try:
        library.call(name, handle)
    except MachineError:
        return


class Session:
    """A session and its thread. The methods below ``run`` are called in that thread only."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._lib = device.library
        self._handle: c_void_p | None = None
        self._rights: set[int] = set()
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[Session], Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="sdf-session", daemon=True)
        self._thread.start()

    def run(self, act: Callable[[Session], T], seconds: float) -> T:
        """The act's result; TimeoutError when it is not there in time."""
        future: Future[T] = Future()
        self._tasks.put((future, act))
        return future.result(seconds)

    def end(self) -> None:
        """Close once the thread is free."""
        self._tasks.put(None)

    @property
    def alive(self) -> bool:
        """Whether its thread still is; one that was ended and stays alive is stuck in the library."""
        return self._thread.is_alive()

    def gone(self, seconds: float) -> None:
        """Wait for its end, no longer than this."""
        self._thread.join(seconds)

    def _live(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, act = task
            try:
                if self._handle is None:
                    self._handle = self.device.open_session()
                future.set_result(act(self))
            except Exception as error:  # told to whoever waits
                future.set_exception(error)
        if self._handle is not None:
            for index in self._rights:
                _release(self._lib, self._handle, index)
            self.device.close_session(self._handle)

    # --- in the session's thread -------------------------------------------------------------------------------------

    def info(self) -> str:
        """Maker, model and serial number."""
        found = DeviceInfo()
        self._lib.call("GetDeviceInfo", self._handle, byref(found))
        return found.text()

    def random(self, count: int) -> bytes:
        """Bytes of the machine's generator."""
        buffer = ctypes.create_string_buffer(count)
        self._lib.call("GenerateRandom", self._handle, count, buffer)
        return buffer.raw

    def public(self, index: int, use: str) -> PublicKey:
        """The public key of an index; Malformed when what comes is no point of the curve."""
        form = self._lib.shapes.public()
        self._lib.call(_EXPORTS[use], self._handle, index, byref(form))
        return self._lib.shapes.get_public(form)

    def open_key(self, index: int, pin: Pin) -> None:
        """Get the right to use a private key, once per session."""
        if index not in self._rights:
            pin.present(
                lambda secret: self._lib.call("GetPrivateKeyAccessRight", self._handle, index, secret, len(secret))
            )
            self._rights.add(index)

    def sign(self, index: int, e: bytes) -> tuple[int, int]:
        """(r, s) over a digest; the caller checks it."""
        form = self._lib.shapes.signature()
        self._lib.call("InternalSign_ECC", self._handle, index, e, len(e), byref(form))
        return self._lib.shapes.get(form.r), self._lib.shapes.get(form.s)

    def verify(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        """The machine's own word on a signature."""
        shapes = self._lib.shapes
        key, form = shapes.put_public(public), shapes.signature(shapes.put(r), shapes.put(s))
        try:
            self._lib.call("ExternalVerify_ECC", self._handle, SM2_SIGN, byref(key), e, len(e), byref(form))
        except MachineError as error:
            if error.code in ("sdf-verify", "sdf-argument", "sdf-public-operation"):
                return False
            raise
        return True

    def decrypt(self, index: int, ciphertext: bytes, with_algorithm: bool) -> bytes:
        """The plaintext of 04||C1||C3||C2; the uniform Malformed for a ciphertext that the machine refuses."""
        c1, c3, c2 = split_ciphertext(ciphertext)
        form, size = self._lib.shapes.cipher(len(c2) + SPARE), c_uint64(len(c2))
        out = ctypes.create_string_buffer(len(c2) + SPARE)
        form.x, form.y, form.size = self._lib.shapes.put(c1.x), self._lib.shapes.put(c1.y), len(c2)
        form.m[:], form.c[: len(c2)] = list(c3), list(c2)
        algorithm = (ctypes.c_uint(SM2_ENCRYPT),) if with_algorithm else ()
        try:
            self._lib.call(
                "InternalDecrypt_ECC", self._handle, ctypes.c_uint(index), *algorithm, byref(form), out, byref(size)
            )
        except MachineError as error:
            if error.code in ("sdf-ciphertext", "sdf-private-operation", "sdf-argument"):
                raise decrypt_failed() from None
            raise
        if size.value != len(c2):
            raise decrypt_failed()
        return out.raw[: size.value]

    def new_key(self, kek: int) -> tuple[bytes, c_void_p]:
        """A fresh SM4 key as its KEK wraps it, and its handle; the key itself never leaves."""
        out, size, key = ctypes.create_string_buffer(256), c_uint64(256), c_void_p()
        self._lib.call("GenerateKeyWithKEK", self._handle, 128, SM4_ECB, kek, out, byref(size), byref(key))
        return out.raw[: min(size.value, 256)], key

    def import_key(self, kek: int, wrapped: bytes) -> c_void_p:
        """The handle of a wrapped key."""
        key = c_void_p()
        self._lib.call("ImportKeyWithKEK", self._handle, SM4_ECB, kek, wrapped, len(wrapped), byref(key))
        return key

    def destroy(self, key: c_void_p) -> None:
        """Forget a key's handle."""
        self._lib.call("DestroyKey", self._handle, key)

    def cipher(self, act: str, key: c_void_p, iv: bytes, data: bytes) -> bytes:
        """``Encrypt`` or ``Decrypt`` whole blocks with SM4-CBC; padding is the caller's."""
        out, size = ctypes.create_string_buffer(len(data) + BLOCK), c_uint64(len(data) + BLOCK)
        first = ctypes.create_string_buffer(iv, BLOCK)
        self._lib.call(act, self._handle, key, SM4_CBC, first, data, len(data), out, byref(size))
        return out.raw[: min(size.value, len(data))]

    def hmac(self, key: c_void_p, data: bytes, algorithm: int) -> bytes:
        """HMAC-SM3 under a key of the machine (GM/T 0018-2023 6.6)."""
        out, size = ctypes.create_string_buffer(64), c_uint64(64)
        self._lib.call("HMACInit", self._handle, key, algorithm)
        self._lib.call("HMACUpdate", self._handle, data, len(data))
        self._lib.call("HMACFinal", self._handle, out, byref(size))
        return out.raw[: min(size.value, 64)]


def _release(library: Library, session: c_void_p, index: int) -> None:
    try:
        library.call("ReleasePrivateKeyAccessRight", session, index)
    except SigningError:
        return
