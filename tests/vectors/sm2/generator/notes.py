"""What each flag means: the row of the attack catalogue, how bad it is to get it wrong, and a sentence in both languages.

``bug`` in the words of Project Wycheproof: BASIC (nothing works), EDGE_CASE (rare values), CAN_OF_WORMS (lets others build
attacks), SIGNATURE_MALLEABILITY (one signature, several bytes), BER_ENCODING, MISSING_STEP (a check is left out),
MODIFIED_PARAMETER, CONFIDENTIALITY, FUNCTIONALITY (differs by policy).
"""

from __future__ import annotations

from typing import NamedTuple


class Note(NamedTuple):
    """``row``: of the attack catalogue, "" for what must simply work."""

    row: str
    bug: str
    zh: str
    en: str


SIGNATURES = {
    "StandardExample": Note("", "BASIC", "标准附录示例", "The example of the standard"),
    "MessageLength": Note("", "BASIC", "各种长度的消息（分组边界）", "Message lengths around the block sizes"),
    "MessageContent": Note("", "BASIC", "特殊内容的消息", "Messages with contents that text handling breaks"),
    "Random": Note("", "BASIC", "随机密钥", "Random keys"),
    "SpecialPublicKey": Note("S22", "EDGE_CASE", "坐标以 00、04 等开头的公钥", "Octets that clumsy code strips, ends of the range"),
    "SpecialNonce": Note("", "EDGE_CASE", "特殊随机数产生的签名", "Signatures from nonces at the ends of the range"),
    "LeadingZeros": Note("", "EDGE_CASE", "r、s 有前导零", "r or s with leading zeros or a leading one bit"),
    "SignerId": Note("S15", "BASIC", "各种签名者标识", "Signer ids of all lengths and contents"),
    "EmptyId": Note("S15", "FUNCTIONALITY", "空标识（标准未明言）", "The empty id; the standard does not speak of it"),
    "WrongId": Note("S15", "MISSING_STEP", "标识不符", "Signed with another id"),
    "DefaultIdForEmpty": Note("S15", "MISSING_STEP", "把空标识当作默认标识", "An empty id silently replaced by the default one"),
    "WrongEntl": Note("S16", "MODIFIED_PARAMETER", "ENTL 计算有误", "ENTL in octets, swapped or absent"),
    "IdTooLong": Note("S15", "MODIFIED_PARAMETER", "标识超长，ENTL 溢出", "An id for which ENTL overflows"),
    "NoZa": Note("S14", "MISSING_STEP", "杂凑未含 Z_A", "Hashed without Z_A"),
    "DoubleHash": Note("S17", "MISSING_STEP", "多杂凑一次", "Hashed once too often"),
    "WrongZa": Note("S14", "MODIFIED_PARAMETER", "Z_A 组成有误", "Z_A composed otherwise"),
    "WrongHash": Note("S24", "MODIFIED_PARAMETER", "杂凑算法或字节序有误", "Another hash, or none"),
    "OtherAlgorithm": Note("S24", "MODIFIED_PARAMETER", "其他签名算法的等式", "The equation of another signature scheme"),
    "RangeCheck": Note("S01-S04", "MISSING_STEP", "r、s 越界或为边界值", "r or s out of range or at a limit"),
    "ZeroSum": Note("S03", "MISSING_STEP", "r + s ≡ 0", "r + s = 0 mod n"),
    "ModularReduction": Note("S04-S06", "SIGNATURE_MALLEABILITY", "加减 n 后同余的值", "Values that are good once reduced mod n"),
    "Malleability": Note("S13", "SIGNATURE_MALLEABILITY", "变形签名", "Transformations that keep other schemes' signatures valid"),
    "Swapped": Note("S12", "MODIFIED_PARAMETER", "r、s 互换或重复", "r and s exchanged or repeated"),
    "BitFlip": Note("", "BASIC", "改动一位", "One bit changed"),
    "WrongMessage": Note("", "BASIC", "消息不符", "Another message"),
    "WrongKey": Note("", "BASIC", "公钥不符", "Another key"),
    "BerLength": Note("S08", "BER_ENCODING", "长度非最短编码", "A length in more octets than it needs"),
    "IndefiniteLength": Note("S08", "BER_ENCODING", "不定长编码", "Indefinite length"),
    "WrongLength": Note("S08", "MODIFIED_PARAMETER", "长度不实", "A length that is not true"),
    "NonMinimalInteger": Note("S07", "BER_ENCODING", "整数有多余前导零", "An INTEGER with needless zero octets"),
    "NegativeInteger": Note("S06", "BER_ENCODING", "负整数或缺符号字节", "A negative INTEGER, or one without its sign octet"),
    "EmptyInteger": Note("S06", "BER_ENCODING", "空整数", "An INTEGER without content"),
    "WrongInteger": Note("S06", "MODIFIED_PARAMETER", "整数内容有误", "INTEGER content cut, lengthened or reversed"),
    "TrailingBytes": Note("S09", "SIGNATURE_MALLEABILITY", "结构之后有多余字节", "Bytes after the SEQUENCE"),
    "ExtraMember": Note("S09", "SIGNATURE_MALLEABILITY", "结构内有多余成员", "A third member in the SEQUENCE"),
    "MissingMember": Note("S09", "MODIFIED_PARAMETER", "缺成员", "A member is missing"),
    "Truncated": Note("S09", "MODIFIED_PARAMETER", "截断", "Truncated"),
    "WrongTag": Note("S08", "MODIFIED_PARAMETER", "标签有误", "A wrong tag"),
    "Constructed": Note("S08", "BER_ENCODING", "构造型编码", "Constructed forms of primitive types"),
    "Wrapped": Note("S09", "MODIFIED_PARAMETER", "多包一层", "One layer too many"),
    "TextForm": Note("S10", "MODIFIED_PARAMETER", "十六进制或 Base64 文本", "Text where octets belong"),
    "RawAsDer": Note("S11", "MODIFIED_PARAMETER", "应为 DER 而给出裸值", "Raw octets where DER belongs"),
    "DerAsRaw": Note("S11", "MODIFIED_PARAMETER", "应为裸值而给出 DER", "DER where raw octets belong"),
    "RawForm": Note("S10", "MODIFIED_PARAMETER", "裸值长度或次序有误", "Raw octets of another length or order"),
    "NotOnCurve": Note("S18", "MISSING_STEP", "公钥不在曲线上", "A key off the curve"),
    "InvalidCurve": Note("S20", "CAN_OF_WORMS", "小阶点伪造：不查曲线者会接受", "A forgery that holds if the curve is not checked"),
    "Infinity": Note("S19", "CAN_OF_WORMS", "无穷远点作公钥", "Infinity as the key, with signatures made to hold for it"),
    "CoordinateRange": Note("S19", "MISSING_STEP", "坐标不小于 p", "Coordinates that are not below p"),
    "OtherCurve": Note("S24", "MISSING_STEP", "其他曲线的点或签名", "Points and signatures of other curves"),
    "CompressedPoint": Note("S21", "FUNCTIONALITY", "压缩点", "A compressed point"),
    "HybridPoint": Note("S21", "FUNCTIONALITY", "混合点", "A hybrid (mixed) point"),
    "HybridParity": Note("S21", "MISSING_STEP", "混合点奇偶不符", "A hybrid point whose parity is wrong"),
    "BarePoint": Note("S21", "FUNCTIONALITY", "不带 04 的公钥", "x || y without 04"),
    "PointForm": Note("S21", "MODIFIED_PARAMETER", "公钥形式有误", "Octets that are no form of a point"),
}  # fmt: skip

CIPHERTEXTS = {
    "StandardExample": Note("", "BASIC", "标准附录示例", "The example of the standard"),
    "PlaintextLength": Note("", "BASIC", "各种长度的明文", "Plaintext lengths around the block of the key stream"),
    "SpecialPoint": Note("", "EDGE_CASE", "C1 坐标有前导零等", "C1 with leading zeros or from special nonces"),
    "WrongC3": Note("S30", "MISSING_STEP", "C3 不符", "C3 does not fit"),
    "WrongC2": Note("S30", "MISSING_STEP", "C2 被改动", "C2 was changed"),
    "WrongOrder": Note("S30", "MODIFIED_PARAMETER", "C1C2C3 与 C1C3C2 混淆", "One order offered as the other"),
    "Truncated": Note("S30", "MODIFIED_PARAMETER", "截断", "Truncated"),
    "TrailingBytes": Note("S30", "MODIFIED_PARAMETER", "多余字节", "Bytes too many"),
    "EmptyC2": Note("S30", "EDGE_CASE", "空密文", "Nothing is encrypted"),
    "ZeroKeyStream": Note("S30", "EDGE_CASE", "密钥流全零", "A key stream of zeros, which shows the plaintext"),
    "NotOnCurve": Note("S20", "CONFIDENTIALITY", "C1 不在曲线上", "C1 off the curve"),
    "InvalidCurve": Note("S20", "CONFIDENTIALITY", "他曲线上的 C1：泄露私钥", "C1 on another curve, made to open there"),
    "Infinity": Note("S20", "CONFIDENTIALITY", "C1 为无穷远点", "C1 at infinity"),
    "CoordinateRange": Note("S20", "MISSING_STEP", "坐标不小于 p", "Coordinates that are not below p"),
    "PointForm": Note("S21", "MODIFIED_PARAMETER", "C1 形式有误", "C1 in another form"),
    "CompressedPoint": Note("S21", "FUNCTIONALITY", "压缩的 C1", "A compressed C1"),
    "HybridPoint": Note("S21", "FUNCTIONALITY", "混合形式的 C1", "A hybrid C1"),
    "WrongForm": Note("S30", "MODIFIED_PARAMETER", "DER 与裸值混淆", "DER where raw belongs, or the reverse"),
    "BerLength": Note("S30", "BER_ENCODING", "DER 长度有误", "DER lengths that are not minimal"),
    "WrongInteger": Note("S30", "BER_ENCODING", "DER 整数有误", "DER INTEGERs padded or negative"),
    "WrongMember": Note("S30", "MODIFIED_PARAMETER", "DER 成员有误", "DER members of a wrong size, tag or number"),
}  # fmt: skip

KEYS = {
    "Good": Note("", "BASIC", "合格的密钥", "A good key"),
    "PrivateKeyRange": Note("S29", "MISSING_STEP", "私钥越界", "d outside 1..n-2, or not of 32 octets"),
    "KeyMismatch": Note("S29", "MISSING_STEP", "公私钥不成对", "The public point belongs to another key"),
    "NotOnCurve": Note("S18", "MISSING_STEP", "公钥不在曲线上", "The point is off the curve"),
    "Infinity": Note("S19", "MISSING_STEP", "公钥为无穷远点", "The point is infinity"),
    "CoordinateRange": Note("S19", "MISSING_STEP", "坐标不小于 p", "Coordinates that are not below p"),
    "PointForm": Note("S21", "MODIFIED_PARAMETER", "公钥形式有误", "No form of a point"),
    "CompressedPoint": Note("S21", "FUNCTIONALITY", "压缩点", "A compressed point"),
    "HybridPoint": Note("S21", "FUNCTIONALITY", "混合点", "A hybrid point"),
    "ExplicitParameters": Note("S23", "CAN_OF_WORMS", "显式曲线参数", "Explicit parameters, which may name a forger's generator"),
    "OtherCurve": Note("S24", "MISSING_STEP", "其他曲线或算法", "Another curve or algorithm"),
    "NoCurve": Note("S23", "MISSING_STEP", "未给出曲线", "The curve is not named"),
    "KeyForm": Note("", "MODIFIED_PARAMETER", "结构有误", "Structure, version or PEM armour is wrong"),
}  # fmt: skip
