"""One cryptographic machine (密码机) as its users see it: acts with a deadline, a pool of sessions, a circuit breaker.

After ``failures`` acts of one kind in a row without a result (random numbers that still come say nothing about
signatures) the machine rests: every act is refused at once (``sdf-resting``), so nobody waits for a dead machine. A
thread tries it after ``rest_s`` and ever more rarely, with a real signature by every key in use; the first success ends
the rest. A refused PIN ends all acts until a person has acted. No failure is ever answered by another key.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from signing.errors import SigningError
from signing.providers.sdf_abi import REFUSED, Library, MachineError
from signing.providers.sdf_session import Device, Pin, Session, timed_out

T = TypeVar("T")
STUCK: Final = 16  # threads that may hang in the library before no more are risked
SLOWEST: Final = 12  # rests between two tries grow up to this many
PROBE: Final = bytes(range(32))  # the digest that a probe signs; the signature goes nowhere
# The machine is there and says that this cannot be done: a matter of settings, not of health.
ANSWERS: Final = frozenset({"sdf-not-supported", "sdf-no-key", "sdf-algorithm", "sdf-mode", "sdf-key-type"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for one act, failures in a row until the machine rests, seconds between two tries while it rests."""

    timeout_s: float = 3.0
    failures: int = 3
    rest_s: float = 5.0


class Machine:
    """A machine behind one vendor library. Safe to use from several threads."""

    def __init__(self, library: Library, limits: Limits) -> None:
        self._library = library
        self._limits = limits
        self._lock = threading.Lock()
        self._device = Device(library)
        self._idle: deque[Session] = deque()
        self._stuck: list[Session] = []
        self._keys: dict[int, Pin] = {}
        self._streaks: Counter[str] = Counter()
        self._resting = False
        self._refusal: MachineError | None = None
        self._closed = threading.Event()

    def do(self, act: str, work: Callable[[Session], T]) -> T:
        """The work's result, made in some session; MachineError when there is none in time, or the machine rests."""
        if self._refusal is not None:
            raise MachineError(self._refusal.code, self._refusal.zh, self._refusal.en)
        if self._resting:
            raise MachineError("sdf-resting", "密码机连续失败，暂停使用", "the machine failed repeatedly and rests")
        return self._attempt(act, work)

    def with_key(self, act: str, index: int, pin: Pin, work: Callable[[Session], T]) -> T:
        """The same, with the right to use a private key."""
        self._keys[index] = pin

        def opened(session: Session) -> T:
            session.open_key(index, pin)
            return work(session)

        return self.do(act, opened)

    def close(self) -> None:
        """End the idle sessions and any trying; acts under way finish for themselves."""
        self._closed.set()
        for session in self._retire():
            session.gone(self._limits.timeout_s)

    def _attempt(self, act: str, work: Callable[[Session], T]) -> T:
        session = self._take()
        try:
            result = session.run(work, self._limits.timeout_s)
        except TimeoutError:
            session.end()
            self._stuck.append(session)
            raise self._failed(act, timed_out(act)) from None
        except MachineError as error:
            session.end()
            raise self._failed(act, error) from None
        except SigningError:  # the machine answered: what it was given was bad
            self._give(session)
            raise
        self._streaks[act] = 0
        self._give(session)
        return result

    def _take(self) -> Session:
        try:
            return self._idle.pop()
        except IndexError:
            return Session(self._device)

    def _give(self, session: Session) -> None:
        with self._lock:
            if session.device is self._device and not self._closed.is_set():
                self._idle.append(session)
                return
        session.end()

    def _retire(self) -> Sequence[Session]:
        """No session of a device that failed is used again; those that were idle."""
        with self._lock:
            self._device = Device(self._library)
            stale, self._idle = self._idle, deque()
        for session in stale:
            session.end()
        return stale

    def _failed(self, act: str, error: MachineError) -> MachineError:
        if error.code in ANSWERS:
            return error
        self._retire()
        with self._lock:
            self._streaks[act] += 1
            if error.code == REFUSED:
                self._refusal = error
            elif self._streaks[act] >= self._limits.failures and not self._resting:
                self._resting = True
                threading.Thread(target=self._try_again, name="sdf-probe", daemon=True).start()
        return error

    def _try_again(self) -> None:
        wait = self._limits.rest_s
        while not self._closed.wait(wait) and self._refusal is None:
            self._stuck = [session for session in self._stuck if session.alive]
            if len(self._stuck) >= STUCK:
                continue
            wait = min(2 * wait, SLOWEST * self._limits.rest_s)
            try:
                self._attempt("probe", self._works)
            except SigningError:
                continue
            self._streaks.clear()
            self._resting = False
            return

    def _works(self, session: Session) -> None:
        session.random(16)
        for index, pin in list(self._keys.items()):
            try:
                session.open_key(index, pin)
                session.sign(index, PROBE)
            except MachineError as error:
                if error.code not in ANSWERS:
                    raise
                del self._keys[index]  # it was taken out of the machine
