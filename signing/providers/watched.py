"""Two watches over verification that raise an alarm: a nonce used twice (row S25), and a second opinion that differs.

Neither ever turns a no into a yes.
"""

from __future__ import annotations

from collections.abc import Callable

from signing.nonces import NonceWatch
from signing.providers import Provider
from signing.providers.around import Around
from signing.sm2 import PublicKey


class Watched(Around):
    """Believes no key any more that was seen to use a nonce twice: whoever saw both signatures can compute it.

    ``alarm`` is called once per key. For one thread, like the watch.
    """

    def __init__(self, inner: Provider, alarm: Callable[[PublicKey], None]) -> None:
        super().__init__(inner)
        self._watch = NonceWatch()
        self._alarm = alarm
        self._exposed: set[PublicKey] = set()

    def exposed(self, public: PublicKey) -> bool:
        """Whether this key has given itself away here."""
        return public in self._exposed

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        if public in self._exposed or not self._inner.verify_digest(public, e, r, s):
            return False
        if not self._watch.reused(public, e, r):
            return True
        self._exposed.add(public)
        self._alarm(public)
        return False


class SecondOpinion(Around):
    """The first provider judges; the second is asked too, and ``alarm`` hears of every signature they differ on.

    For acts that are worth two computations by independent code (seals). The second sees r, s, e and points that were
    decoded and ranged here, so what it forgives in encodings cannot matter.
    """

    def __init__(self, inner: Provider, second: Provider, alarm: Callable[[PublicKey], None]) -> None:
        super().__init__(inner)
        self._second = second
        self._alarm = alarm
        self.description = f"{inner.description}; second opinion: {second.description}"

    def verify_digest(self, public: PublicKey, e: bytes, r: int, s: int) -> bool:
        good = self._inner.verify_digest(public, e, r, s)
        if self._second.verify_digest(public, e, r, s) != good:
            self._alarm(public)
        return good
