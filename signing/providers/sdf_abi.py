"""The C interface of a cryptographic machine (密码机), GM/T 0018-2012: its structures, functions and return codes by ctypes.

Numbers of GM/T 0018 are ``unsigned int``, big integers stand right-aligned in fields of 64 bytes (32 in older vendor
libraries: ``width``). Lengths that a function writes are given 8 zeroed bytes, so a library that takes ``ULONG`` for
64 bits is understood as well. SDF_InternalDecrypt_ECC is not in the 2012 text; vendors take it with or without the
algorithm's number, and HMAC (2023) under three numbers (unconfirmed): both are settings of the provider's URI.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_ubyte, c_uint, c_uint64, c_void_p
from typing import Any, Final, NamedTuple

from signing.errors import Unavailable
from signing.sm2 import PublicKey

SM2_SIGN: Final = 0x00020200  # SGD_SM2_1
SM2_ENCRYPT: Final = 0x00020800  # SGD_SM2_3
SM4_ECB: Final = 0x00000401  # SGD_SM4_ECB: how a KEK wraps a key
SM4_CBC: Final = 0x00000402  # SGD_SM4_CBC
OK: Final = 0
BASE: Final = 0x01000000


class Code(NamedTuple):
    """A return code: its kebab name and what it says."""

    name: str
    zh: str
    en: str


# GM/T 0018-2012 annex A, offsets from SDR_BASE.
CODES: Final[dict[int, Code]] = {
    0x01: Code("unknown", "未知错误", "unknown error"),
    0x02: Code("not-supported", "不支持的接口", "call not supported"),
    0x03: Code("communication", "与设备通信失败", "communication with the device failed"),
    0x04: Code("hardware", "运算模块无响应", "the module does not answer"),
    0x05: Code("open-device", "打开设备失败", "the device cannot be opened"),
    0x06: Code("open-session", "创建会话失败", "no session can be opened"),
    0x07: Code("no-access", "无私钥使用权限", "no access right to the private key"),
    0x08: Code("no-key", "密钥不存在", "there is no such key"),
    0x09: Code("algorithm", "不支持的算法", "algorithm not supported"),
    0x0A: Code("mode", "不支持的算法模式", "mode not supported"),
    0x0B: Code("public-operation", "公钥运算失败", "the public key operation failed"),
    0x0C: Code("private-operation", "私钥运算失败", "the private key operation failed"),
    0x0D: Code("sign", "签名运算失败", "signing failed"),
    0x0E: Code("verify", "验证签名失败", "the signature does not hold"),
    0x0F: Code("cipher", "对称运算失败", "the cipher failed"),
    0x10: Code("step", "多步运算步骤错误", "wrong step of an operation in steps"),
    0x14: Code("key-type", "密钥类型错误", "wrong type of key"),
    0x15: Code("key", "密钥错误", "bad key"),
    0x16: Code("ciphertext", "密文数据错误", "bad ciphertext"),
    0x17: Code("random", "随机数产生失败", "no random bytes"),
    0x18: Code("pin-refused", "私钥使用权限获取失败（口令不对）", "the PIN was refused"),
    0x19: Code("mac", "MAC 运算失败", "the MAC failed"),
    0x1C: Code("memory", "存储空间不足", "out of memory"),
    0x1D: Code("argument", "输入参数错误", "bad input argument"),
    0x1E: Code("output", "输出参数错误", "bad output argument"),
    0x21: Code("pin-locked", "口令已锁定", "the PIN is locked"),  # of several vendors
}
REFUSED: Final = "sdf-pin-refused"
# What may go wrong while a PIN is presented and says nothing about the PIN. Every other code is taken for a refusal:
# vendors have numbers of their own for it, and a second try may be the one that locks the machine.
NOT_THE_PIN: Final = frozenset(
    f"sdf-{name}"
    for name in ("communication", "hardware", "open-device", "open-session", "no-key", "memory", "not-supported")
)


class MachineError(Unavailable):
    """What the machine (or the wait for it) said instead of an answer; ``code`` is ``sdf-`` and the name above."""


def failed(act: str, value: int) -> MachineError:
    """The named error of a return code; ``act`` is the SDF function without its prefix."""
    code = CODES.get(value - BASE, Code("other", f"错误码 0x{value:08X}", f"code 0x{value:08X}"))
    return MachineError(f"sdf-{code.name}", f"密码机 {act}：{code.zh}", f"cryptographic machine, {act}: {code.en}")


class DeviceInfo(ctypes.Structure):
    """DEVICEINFO."""

    _fields_ = (
        ("issuer", c_ubyte * 40),
        ("name", c_ubyte * 16),
        ("serial", c_ubyte * 16),
        ("version", c_uint),
        ("standard", c_uint),
        ("asymmetric", c_uint * 2),
        ("symmetric", c_uint),
        ("hash", c_uint),
        ("buffer", c_uint),
    )

    def text(self) -> str:
        """Maker, model and serial number, printable characters only."""
        parts = (bytes(getattr(self, part)).split(b"\0")[0] for part in ("issuer", "name", "serial"))
        return " ".join("".join(c for c in part.decode("ascii", "replace") if c.isprintable()) for part in parts)


class Shapes:
    """The structures whose size depends on how wide a library makes its coordinates (64 bytes, or 32)."""

    def __init__(self, width: int) -> None:
        self.width = width
        field = c_ubyte * width
        self.public = type(
            "ECCrefPublicKey", (ctypes.Structure,), {"_fields_": [("bits", c_uint), ("x", field), ("y", field)]}
        )
        self.signature = type("ECCSignature", (ctypes.Structure,), {"_fields_": [("r", field), ("s", field)]})

    def cipher(self, room: int) -> Any:
        """An empty ECCCipher whose ciphertext has ``room`` bytes."""
        field = c_ubyte * self.width
        fields = [("x", field), ("y", field), ("m", c_ubyte * 32), ("size", c_uint), ("c", c_ubyte * room)]
        return type("ECCCipher", (ctypes.Structure,), {"_fields_": fields})()

    def put(self, value: int) -> Any:
        """A number as the field holds it."""
        return (c_ubyte * self.width)(*value.to_bytes(self.width))

    @staticmethod
    def get(field: Any) -> int:
        """The number of a field. One that is not right-aligned comes out far above p and is refused as a key."""
        return int.from_bytes(bytes(field))

    def put_public(self, public: PublicKey) -> Any:
        """ECCrefPublicKey of a key."""
        return self.public(256, self.put(public.x), self.put(public.y))

    def get_public(self, form: Any) -> PublicKey:
        """The key; Malformed if it is not a point of the curve."""
        return PublicKey(self.get(form.x), self.get(form.y))


_H, _OUT, _LEN = c_void_p, c_void_p, POINTER(c_uint64)
# name: arguments. The session's handle comes first, except for the device's own functions.
_NEEDED: Final[dict[str, tuple[Any, ...]]] = {
    "OpenDevice": (POINTER(c_void_p),),
    "CloseDevice": (_H,),
    "OpenSession": (_H, POINTER(c_void_p)),
    "CloseSession": (_H,),
    "GetDeviceInfo": (_H, POINTER(DeviceInfo)),
    "GenerateRandom": (_H, c_uint, _OUT),
    "GetPrivateKeyAccessRight": (_H, c_uint, c_char_p, c_uint),
    "ReleasePrivateKeyAccessRight": (_H, c_uint),
    "ExportSignPublicKey_ECC": (_H, c_uint, _OUT),
    "ExportEncPublicKey_ECC": (_H, c_uint, _OUT),
    "InternalSign_ECC": (_H, c_uint, c_char_p, c_uint, _OUT),
    "ExternalVerify_ECC": (_H, c_uint, _OUT, c_char_p, c_uint, _OUT),
}
# What a machine may lack: asked for at first use.
_OPTIONAL: Final[dict[str, tuple[Any, ...]]] = {
    "InternalDecrypt_ECC": (),  # with or without the algorithm's number: see the provider's setting
    "GenerateKeyWithKEK": (_H, c_uint, c_uint, c_uint, _OUT, _LEN, POINTER(c_void_p)),
    "ImportKeyWithKEK": (_H, c_uint, c_uint, c_char_p, c_uint, POINTER(c_void_p)),
    "DestroyKey": (_H, c_void_p),
    "Encrypt": (_H, c_void_p, c_uint, _OUT, c_char_p, c_uint, _OUT, _LEN),
    "Decrypt": (_H, c_void_p, c_uint, _OUT, c_char_p, c_uint, _OUT, _LEN),
    "HMACInit": (_H, c_void_p, c_uint),
    "HMACUpdate": (_H, c_char_p, c_uint),
    "HMACFinal": (_H, _OUT, _LEN),
}


class Library:
    """The functions of one vendor library; every call releases the GIL. Unavailable if it is none of this kind."""

    def __init__(self, path: str, shapes: Shapes) -> None:
        self.path, self.shapes = path, shapes
        try:
            handle = ctypes.CDLL(path)
            self._functions = {name: _declared(handle, name, kinds) for name, kinds in _NEEDED.items()}
        except (OSError, AttributeError):
            zh = f"{path} 打不开或不是 GM/T 0018 接口库"
            raise Unavailable("sdf-library", zh, f"{path} is missing or no library of GM/T 0018") from None
        for name, kinds in _OPTIONAL.items():
            if hasattr(handle, f"SDF_{name}"):
                self._functions[name] = _declared(handle, name, kinds)

    def call(self, name: str, *arguments: Any) -> None:
        """``SDF_<name>``; MachineError for anything but SDR_OK."""
        function = self._functions.get(name)
        value = BASE + 0x02 if function is None else function(*arguments) & 0xFFFFFFFF
        if value != OK:
            raise failed(name, value)


def _declared(handle: ctypes.CDLL, name: str, kinds: tuple[Any, ...]) -> Any:
    function = getattr(handle, f"SDF_{name}")
    function.restype = c_int
    if kinds:
        function.argtypes = kinds
    return function
