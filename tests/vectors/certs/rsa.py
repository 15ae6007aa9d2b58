"""Certificates signed with RSA (PKCS#1 v1.5, RFC 8017 8.2.1) for the rows C21 and C22: fixed keys, so the bytes repeat.

The keys are test material and worth nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from signing import der
from tests import pki

_DIGESTS: Final = {
    "md5": ("1.2.840.113549.2.5", "1.2.840.113549.1.1.4"),
    "sha1": ("1.3.14.3.2.26", "1.2.840.113549.1.1.5"),
    "sha256": ("2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11"),
}


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A private key with the public exponent 65537."""

    n: int
    d: int

    @property
    def spki(self) -> bytes:
        algorithm = der.seq(der.oid("1.2.840.113549.1.1.1"), der.null())
        return der.seq(algorithm, der.bits(der.seq(der.integer(self.n), der.integer(65537))))

    def sign(self, message: bytes, digest: str) -> bytes:
        size = (self.n.bit_length() + 7) // 8
        value = hashlib.new(digest, message, usedforsecurity=False).digest()
        info = der.seq(der.seq(der.oid(_DIGESTS[digest][0]), der.null()), der.octets(value))
        padded = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(size, "big")

    def certificate(self, parts: pki.Parts, digest: str) -> bytes:
        """These parts signed with this key."""
        algorithm = der.seq(der.oid(_DIGESTS[digest][1]), der.null())
        parts.inner = parts.outer = algorithm
        tbs = parts.tbs()
        return der.seq(tbs, algorithm, der.bits(self.sign(tbs, digest)))


RSA_1024: Final = RsaKey(
    n=int(
        "c20f3be8eafe616d4057b72016e6994295b46b7e04b6c8b49cd289078a490a8c620080aaf0275e6d72a6c1922592262f4067"
        "80b0306cd89b5c305a04c79dcb216c660dd52ef1eef2dcf3062f73283f5e3de6e7679b13817a9155e031ee50c125a7458e88"
        "19f73780d75132309947e0c6e9a0503b2d1caad7b24ea24102128a61",
        16,
    ),
    d=int(
        "345883a28a70dfbae6964291675c008f536e7d685ac12b567cced5a3b10b8ecadb4ca36878ab45ef63f3d35726c74b81876f"
        "e3e8a2c7598e5ec9b41e81f1f06eb55b76f0c5843fef2c132aee4b13ea9e611a8c15a1ec5c2c68fceecd3ff289c945223360"
        "053106b059902410ef1684d5f1e536d4b6f94ece6df76d14c009e281",
        16,
    ),
)
RSA_2048: Final = RsaKey(
    n=int(
        "b3899f90ef63838f4eab57a3e162799874c4d54ef126106098ef446649ada47d2f60a42044c2550342ab5021693d759d0f04"
        "ee0a01c37e1bf1fa9e78cb44d405549695167f03c409f290f3f07ce78b1cba208810b4e979f6b5202d86c9479cc068b40339"
        "b961a561f949ce8cafebecc7f3233b9ffc634061ead15b7df0d0b5a355ed8edbe7ce7dd60559d27c5d6be5da9c458d0f790a"
        "08ba6bc791763def0bb28d9e430915c87cee3d484825c919ddaa4b80f4cb494da455878580b7bbe12ad225d01d726cec0904"
        "369c2225ac7212de0fc7d8a568920272dabdc77102522e756a13072198086171722788f61d2e3178bc1adb1bcd32ff224edd"
        "cb6199354ae5",
        16,
    ),
    d=int(
        "ae6365e3e338320da79db3f45c1ec97aab2695b05179663c587b456110528de23026c56fb7da05b6b3b205ea0378787424a6"
        "9135e9c8a3072f34fec0d8baf386749cb4c1092bf5e603aadb32238b74606444e7ba9d3f3b571b4fdf68d0bc5d270ce1ed50"
        "20751703374a82f511dbd8e924387b8346cfd135a05f2d68adda217d45455e116de13272d2f99fcecf8a91b48576a6e02c96"
        "5dfb9326bb927f72cab9da1a39eb94e570aef405890f38eee9b499dbf8b6a84596124912d0fc9b5b788e1e428904b2619ed6"
        "b6df751b7fbd0f37372c965994c30a09b8157864e411a15f9ed784a1dc4a67ddedf3d8b4d2edf1508c61b82a92d7ac0cbdde"
        "a9b82702ba1",
        16,
    ),
)
