"""Every refusal a caller can get: stable code, HTTP status, sentence, next action, in both languages.

TB-1xxx bytes and form, TB-2xxx identity, signature and time, TB-3xxx seals and certificates, TB-4xxx agreements,
TB-5xxx cases and delivery, TB-6xxx materials and parts, TB-7xxx certificates, TB-9xxx the node itself. The pure rooms
speak of reasons in words (``item-not-in-agreement``); ``CODES`` gives each word its number.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Problem(NamedTuple):
    """One row of the catalogue: HTTP status, Chinese and English title, Chinese and English next action."""

    status: int
    zh: str
    en: str
    action_zh: str
    action_en: str


class Refused(Exception):
    """The request is refused with a catalogue code. ``detail`` says where; it never repeats what was sent."""

    def __init__(self, code: str, detail: str = "", clause: str = "", **extra: object) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.clause = clause
        self.extra = extra


_FIX = ("按提示更正后重新提交", "Correct as told and submit again")
_ASK = ("联系对端管理员核对密钥与身份", "Check keys and identity with the other side's administrator")
_WAIT = ("稍后自动重试，无需重新填报", "It will be retried; nothing has to be entered again")
_AGREE = ("核对通办协议与事项清单", "Check the agreement and its item list")
_ISSUER = ("向证照颁发机构查询", "Ask the body that issued it")
_OPS = ("请运维人员处理", "An operator has to act")

CATALOGUE: dict[str, Problem] = {
    "TB-1001": Problem(400, "请求内容无法读取", "The request cannot be read", *_FIX),
    "TB-1002": Problem(413, "请求内容超过大小上限", "The request is larger than allowed", *_FIX),
    "TB-1003": Problem(400, "JSON 不合规范", "The JSON is not acceptable", *_FIX),
    "TB-1004": Problem(400, "XML 不合规范", "The XML is not acceptable", *_FIX),
    "TB-1005": Problem(400, "字段内容不符合要求", "A field does not fit", *_FIX),
    "TB-1006": Problem(400, "XML 未通过结构校验", "The XML is not valid by its schema", *_FIX),
    "TB-1007": Problem(400, "文字编码有误", "The text encoding is broken", *_FIX),
    "TB-1008": Problem(415, "不支持的内容类型", "Unsupported content type", *_FIX),
    "TB-1009": Problem(404, "没有这个地址", "No such address", *_FIX),
    "TB-1010": Problem(405, "不支持的请求方法", "Method not allowed", *_FIX),
    "TB-1011": Problem(400, "请求地址不合规范", "The request target is not acceptable", *_FIX),
    "TB-1012": Problem(408, "请求发送过慢", "The request was sent too slowly", *_FIX),
    "TB-1101": Problem(400, "行政区划代码不存在", "Unknown division code", *_FIX),
    "TB-1102": Problem(400, "公民身份号码校验不通过", "The citizen id number fails its check", *_FIX),
    "TB-1103": Problem(400, "统一社会信用代码校验不通过", "The unified social credit code fails its check", *_FIX),
    "TB-2001": Problem(401, "缺少签名", "The signature is missing", *_ASK),
    "TB-2002": Problem(401, "签名验证未通过", "The signature does not verify", *_ASK),
    "TB-2003": Problem(401, "未登记的调用方", "Unknown caller", *_ASK),
    "TB-2004": Problem(
        401, "请求时间超出允许范围", "The request's time is outside the window", "校准系统时钟", "Set the clock"
    ),
    "TB-2005": Problem(
        409,
        "请求重放：随机数已用过",
        "Replay: this nonce has been used",
        "用新的随机数重新签名",
        "Sign again with a new nonce",
    ),
    "TB-2006": Problem(401, "账本证明验证未通过", "The ledger proof does not verify", *_ASK),
    "TB-2007": Problem(401, "检查点签名验证未通过", "The checkpoint's signature does not verify", *_ASK),
    "TB-2008": Problem(409, "对端账本前后不一致，已暂停往来", "The partner's ledger contradicts itself; paused", *_OPS),
    "TB-2009": Problem(403, "报文与发送方身份不符", "The message does not match its sender", *_ASK),
    "TB-2010": Problem(403, "与该对端的往来已暂停", "Exchange with this partner is paused", *_OPS),
    "TB-2011": Problem(401, "随机数格式不合规范", "The nonce is malformed", *_FIX),
    "TB-2012": Problem(409, "检查点基准不一致", "The checkpoint base differs", *_WAIT),
    "TB-2013": Problem(
        403,
        "对端签名密钥重复使用随机数，已视为泄露并暂停往来",
        "A key of the partner used a nonce twice and counts as exposed; paused",
        *_OPS,
    ),
    "TB-2014": Problem(403, "传输层证书与发送方不符", "The TLS certificate is not the sender's", *_ASK),
    "TB-2015": Problem(409, "名片不能接受", "The card cannot be accepted", *_ASK),
    "TB-2016": Problem(409, "同一版本有两张不同的名片，已暂停往来", "Two cards of one version; paused", *_OPS),
    "TB-2017": Problem(401, "密钥已被其主人吊销", "The key has been revoked by its owner", *_ASK),
    "TB-2018": Problem(503, "尚未取得对方的新名片", "The partner's newer card is not here yet", *_WAIT),
    "TB-2019": Problem(403, "名册已不为该方作保", "The registry no longer stands for this party", *_ASK),
    "TB-2101": Problem(422, "报文内容无法解密", "The content cannot be decrypted", *_ASK),
    "TB-2102": Problem(
        409,
        "对方没有可用的加密密钥",
        "The other side has no usable encryption key",
        "请对方在名片中公布加密证书后，自动继续发送",
        "It goes on by itself once their card names an encryption certificate",
    ),
    "TB-3001": Problem(422, "电子签章格式无法读取", "The stamp cannot be read", *_ASK),
    "TB-3002": Problem(422, "电子签章签名值无效", "The stamp's signature is invalid", *_ASK),
    "TB-3003": Problem(422, "签章证书不可信", "The stamp's certificate is not trusted", *_ASK),
    "TB-3004": Problem(422, "电子印章已过有效期", "The seal has expired", *_ASK),
    "TB-3005": Problem(422, "电子印章或证书已被撤销", "The seal or its certificate is revoked", *_ASK),
    "TB-3006": Problem(422, "签章证书不在印章的证书列表中", "The signer is not in the seal's certificate list", *_ASK),
    "TB-3007": Problem(422, "签章不是为这份文件所盖", "The stamp was made for another document", *_ASK),
    "TB-3008": Problem(422, "结果文件没有签章", "The result document bears no stamp", *_ASK),
    "TB-3009": Problem(503, "暂时无法判定签章是否有效", "The stamp cannot be judged now", *_WAIT),
    "TB-3010": Problem(422, "电子印章本身无效", "The seal itself is invalid", *_ASK),
    "TB-3011": Problem(422, "申请人签名无效或缺少", "The applicant's signature is missing or does not hold", *_FIX),
    "TB-4101": Problem(403, "与该地没有通办协议", "There is no agreement with this place", *_AGREE),
    "TB-4102": Problem(403, "通办协议已到期", "The agreement has expired", *_AGREE),
    "TB-4103": Problem(403, "事项不在通办协议范围内", "The item is not in the agreement", *_AGREE),
    "TB-4104": Problem(403, "通办协议尚未生效", "The agreement is not yet in force", *_AGREE),
    "TB-4105": Problem(403, "通办协议未经双方签署", "The agreement is not signed by both sides", *_AGREE),
    "TB-4106": Problem(403, "收办方向与协议不符", "The direction is not agreed", *_AGREE),
    "TB-4107": Problem(403, "办理模式与协议不符", "The handling mode is not agreed", *_AGREE),
    "TB-4108": Problem(403, "事项版本与清单不符", "The item's version is not in the list", *_AGREE),
    "TB-4109": Problem(403, "用途与协议不符", "The purpose is not agreed", *_AGREE),
    "TB-4110": Problem(403, "协议版本与登记不符", "The agreement's version is not the registered one", *_AGREE),
    "TB-4111": Problem(403, "协议要求端到端加密", "The agreement demands end-to-end encryption", *_AGREE),
    "TB-5001": Problem(404, "没有这个办件", "No such case", *_FIX),
    "TB-5002": Problem(409, "办件当前状态不允许此操作", "The case's state does not allow this act", *_FIX),
    "TB-5003": Problem(
        409, "同一编号的内容不一致", "The same number with other content", "核对后用新的编号提交", "Use a new number"
    ),
    "TB-5004": Problem(403, "本方无权作出此行为", "This side has no power for this act", *_AGREE),
    "TB-5005": Problem(410, "报文已过有效期", "The message has expired", *_FIX),
    "TB-5006": Problem(409, "前序报文未到", "An earlier message is missing", *_WAIT),
    "TB-5007": Problem(422, "办理平台未予接收", "The platform did not take it", *_OPS),
    "TB-5008": Problem(
        409,
        "这份投递已有结论，无须再确认",
        "This delivery is settled; no more words are needed",
        "查看投递",
        "Look at it",
    ),
    "TB-5009": Problem(
        429,
        "这个编号查询过于频繁",
        "This number is asked for too often",
        "核对编号与证件号码，一分钟后再查",
        "Check number and identity, ask again in a minute",
    ),
    "TB-6001": Problem(
        409,
        "材料分段不连续",
        "The range does not continue the upload",
        "按 Upload-Offset 续传",
        "Resume at Upload-Offset",
    ),
    "TB-6002": Problem(
        422, "材料摘要不一致", "The material's digest differs", "重新上传该材料", "Upload the material again"
    ),
    "TB-6003": Problem(
        422, "材料尚未上传完整", "A material has not been uploaded whole", "先上传材料再提交", "Upload first"
    ),
    "TB-6004": Problem(404, "没有这份材料", "No such material", *_FIX),
    "TB-6005": Problem(416, "分段范围不合规范", "The range is not acceptable", *_FIX),
    "TB-6006": Problem(503, "附件尚在解密核对", "The parts are still being decrypted and checked", *_WAIT),
    "TB-6011": Problem(422, "材料内容与所称不符", "A material is not what it is said to be", *_FIX),
    "TB-6012": Problem(422, "材料含有可执行或会自动执行的内容", "A material holds what runs when opened", *_FIX),
    "TB-6013": Problem(422, "材料未通过病毒扫描", "A material did not pass the virus scan", *_FIX),
    "TB-6014": Problem(503, "病毒扫描暂不可用", "The virus scanner is not available for now", *_WAIT),
    "TB-6015": Problem(
        422, "报文所附材料与正文所列不符", "The parts of a message are not those that its body names", *_OPS
    ),
    "TB-7001": Problem(404, "没有这份证照", "No such certificate", *_FIX),
    "TB-7002": Problem(422, "本节点没有这类证照的模板", "This node has no template of this type", *_OPS),
    "TB-7003": Problem(422, "证照内容与模板不符", "What it should say does not fit the template", *_FIX),
    "TB-7004": Problem(409, "证照当前状态不允许此操作", "The certificate's state does not allow this act", *_FIX),
    "TB-7005": Problem(409, "证照标识或版本已被占用", "This serial number or version is taken", *_FIX),
    "TB-7006": Problem(409, "证照尚未签章，还没有文件", "The certificate has no stamp yet, and no file", *_WAIT),
    "TB-7007": Problem(409, "本节点不签发证照", "This node issues no certificates", *_OPS),
    "TB-7008": Problem(
        422, "加注件的期限已过或超出证照有效期", "A copy expires later than now and with its certificate", *_FIX
    ),
    "TB-7009": Problem(404, "证照上没有这项许可", "No such permit on this certificate", *_FIX),
    "TB-7010": Problem(
        422, "缺少法定事由代码，或与操作不符", "A reason code is missing or does not fit the act", *_FIX
    ),
    "TB-7011": Problem(403, "协议未约定使用该类证照", "The agreement does not cover this certificate", *_AGREE),
    "TB-7012": Problem(403, "协议未约定这样使用证照", "The agreement does not cover this use of it", *_AGREE),
    "TB-7013": Problem(
        503, "证照未能签章：印章暂不可用", "The certificate could not be stamped: the seal is not usable", *_OPS
    ),
    "TB-7014": Problem(409, "证照已过有效期", "The certificate has expired", "办理延续或换发", "Have it renewed"),
    "TB-7015": Problem(409, "证照已暂停使用", "The certificate is suspended", *_ISSUER),
    "TB-7016": Problem(
        409, "证照已被撤销、撤回或注销", "The certificate was revoked, withdrawn or cancelled", *_ISSUER
    ),
    "TB-7017": Problem(
        409, "证照已换发新版本", "The certificate has a newer version", "使用新版本", "Use the newer version"
    ),
    "TB-7018": Problem(409, "证照尚未生效", "The certificate is not yet valid", *_ISSUER),
    "TB-7019": Problem(409, "证照所载许可均已失效", "None of the certificate's permits stands", *_ISSUER),
    "TB-7021": Problem(404, "没有这个用证码", "No such use code", *_FIX),
    "TB-7022": Problem(409, "用证码已使用过", "The use code has been used", "重新申请用证码", "Ask for a new use code"),
    "TB-7023": Problem(410, "用证码已过期", "The use code has expired", "重新申请用证码", "Ask for a new use code"),
    "TB-7024": Problem(
        403, "用证码不是为此办件、事项或证照签发的", "The use code was issued for another case, item or type", *_FIX
    ),
    "TB-7025": Problem(
        422, "证照属于其他持证主体", "The certificate is another holder's", "核对申请人身份", "Check who applies"
    ),
    "TB-7026": Problem(
        422,
        "证照当前不是有效状态",
        "The certificate is not valid now",
        "请申请人提供其他材料",
        "Ask for another material",
    ),
    "TB-7027": Problem(
        422,
        "证照文件核验未通过",
        "The certificate's file does not hold",
        "请申请人提供其他材料",
        "Ask for another material",
    ),
    "TB-7028": Problem(503, "证照共享平台暂不可用", "The sharing platform is not available for now", *_WAIT),
    "TB-7029": Problem(422, "证照共享平台未予提供", "The sharing platform did not give it", *_OPS),
    "TB-7030": Problem(404, "没有查到这张证照", "No such certificate was found", *_FIX),
    "TB-7031": Problem(422, "这类证照没有可用的共享来源", "No source shares certificates of this type", *_OPS),
    "TB-7032": Problem(503, "暂时无法判定证照是否有效", "The certificate cannot be judged now", *_WAIT),
    "TB-7033": Problem(
        429,
        "本平台查询证照过于频繁",
        "This platform asks about certificates too often",
        "按 Retry-After 稍后再查；确有需要请网关管理员调整上限",
        "Ask again after Retry-After; the gateway's administrator can raise the limit",
    ),
    "TB-7042": Problem(
        422,
        "二维码不是已登记的颁发方的",
        "The QR code leads to no issuer registered here",
        "核对二维码；登记对端的核验网址",
        "Check the code; register the partner's page address",
    ),
    "TB-7043": Problem(404, "没有这次扫码查验", "No such scan", *_FIX),
    "TB-9001": Problem(503, "网关暂时无法存储，请稍后重试", "The gateway cannot store for now; retry later", *_WAIT),
    "TB-9002": Problem(500, "网关内部错误", "Internal error of the gateway", *_OPS),
    "TB-9003": Problem(503, "网关正在停机", "The gateway is stopping", *_WAIT),
    "TB-9004": Problem(
        503, "密钥或密码机暂不可用，请稍后重试", "The key or its machine is not available for now; retry later", *_WAIT
    ),
}

# Reasons of the pure rooms -> catalogue. A reason that is missing here is a form error (TB-1005).
CODES: dict[str, str] = {
    "missing-signature": "TB-2001",
    "bad-signature": "TB-2002",
    "bad-token": "TB-2002",
    "bad-envelope": "TB-2002",
    "undecryptable": "TB-2101",
    "unknown-app": "TB-2003",
    "wrong-credential": "TB-2003",
    "time-outside-window": "TB-2004",
    "bad-nonce": "TB-2011",
    "no-agreement-with-place": "TB-4101",
    "agreement-expired": "TB-4102",
    "item-not-in-agreement": "TB-4103",
    "agreement-not-in-force": "TB-4104",
    "agreement-not-signed-by-both": "TB-4105",
    "wrong-direction": "TB-4106",
    "mode-not-agreed": "TB-4107",
    "item-version-unknown": "TB-4108",
    "purpose-not-agreed": "TB-4109",
    "agreement-superseded": "TB-4110",
    "not-sealed": "TB-4111",
    "certificate-not-agreed": "TB-7011",
    "use-not-agreed": "TB-7012",
    "power-exceeded": "TB-5004",
    "unknown-division": "TB-1101",
    "placeholder-division": "TB-1101",
    "division-format": "TB-1101",
    "statistical-division": "TB-1101",
    "citizen": "TB-1102",
    "uscc": "TB-1103",
    "too-large": "TB-1002",
    "too-many": "TB-1002",
    "wrong-encoding": "TB-1007",
    "not-encodable": "TB-1007",
    "byte-order-mark": "TB-1007",
    "bad-character": "TB-1007",
    "bad-json": "TB-1003",
    "duplicate-key": "TB-1003",
    "too-deep": "TB-1003",
    "bad-number": "TB-1003",
    "json": "TB-1003",
    "bad-xml": "TB-1004",
    "xml": "TB-1004",
    "soap": "TB-1004",
    "xsd": "TB-1006",
}


def of_reason(reason: str) -> str:
    """Catalogue code of a pure room's reason; families share a prefix (``json-duplicate-key``, ``xml-doctype``)."""
    return CODES.get(reason) or CODES.get(reason.split("-", 1)[0], "TB-1005")


def document(refused: Refused, trace_id: str) -> dict[str, object]:
    """The ``application/problem+json`` object of a refusal; a signed one carries its proof."""
    problem = CATALOGUE[refused.code]
    body: dict[str, object] = {
        "type": f"urn:tongban:problem:{refused.code}",
        "status": problem.status,
        "code": refused.code,
        "title": problem.zh,
        "title_en": problem.en,
        "detail": refused.detail,
        "action": problem.action_zh,
        "action_en": problem.action_en,
        "trace_id": trace_id,
    }
    if refused.clause:
        body["clause"] = refused.clause
    body.update({name: refused.extra[name] for name in ("message_id", "receipt") if name in refused.extra})
    return body


def encode(refused: Refused, trace_id: str) -> bytes:
    """The problem document as JSON bytes."""
    return msgspec.json.encode(document(refused, trace_id))
