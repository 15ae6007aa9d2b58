"""Opens a ``message_set`` platform from its profile: translator, channel and the inbox that its messages come from."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from adapters.base import Denied, Presented, Signed, Untranslatable
from adapters.inlined import inlined
from adapters.message_set.channel import QueueChannel
from adapters.message_set.inbox import QueueInbox
from adapters.message_set.translate import ObjectTranslator, Words
from adapters.profile import Profile, compile_profile
from adapters.registry import Opening, Platform
from adapters.stylesheet import none_named
from adapters.transport import Line, web_address
from schemas.errors import Invalid
from schemas.validate import compile_xsd

BY_QUEUE = Denied("missing-signature", "此平台经消息队列交换", "this platform exchanges by a message queue")


def open_translator(profile: Profile, resources: Mapping[str, bytes], max_bytes: int = 16 << 20) -> ObjectTranslator:
    """The translator of a profile, with its XSD compiled. Raises Untranslatable."""
    none_named(profile.text.transform.inward, profile.text.transform.outward)
    try:
        words = msgspec.convert(profile.text.message_set, Words)
        schema = compile_xsd(resources[words.schema])
    except msgspec.ValidationError as error:
        zh, en = f"message_set 有误：{error}", f"bad message_set table: {error}"
        raise Untranslatable("message-set-unreadable", zh, en, "message_set") from None
    except KeyError:
        raise Untranslatable("schema-missing", "缺少 XSD 文件", "the XSD is missing", "message_set.schema") from None
    except Invalid as bad:
        raise Untranslatable(bad.code, bad.zh, bad.en, "message_set.schema") from None
    return ObjectTranslator(profile, words, schema, max_bytes)


def open_family(opening: Opening) -> Platform:
    """Raises Untranslatable or Faulty for a profile, an XSD or settings that cannot work."""
    own, profile = opening.settings, compile_profile(opening.profile, opening.functions)
    translator = open_translator(profile, opening.resources, own.max_message_bytes)
    channel = QueueChannel(
        line=Line(),
        translator=translator,
        url=web_address(own.base_url, query=True),
        licence=own.our_licence,
        can_ask=own.can_ask,
        connect_ms=own.connect_timeout_ms,
        total_ms=own.timeout_ms,
        max_answer=own.max_answer_bytes,
    )

    def authenticate(shown: Presented, now_ms: int) -> Signed | Denied:
        return BY_QUEUE

    return Platform(
        id=own.id,
        family=profile.text.family,
        profile=profile.text.name,
        translator=translator,
        channel=channel,
        authenticate=authenticate,
        inbox=QueueInbox(channel),
        inlined=inlined(profile, translator.encoding, own.max_message_bytes),
    )
