"""The local platforms of a node, opened by their profiles (by name from the package, by path from beside the configuration), which
of them handles an item, and the forms that are handed in for several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from yarl import URL

from adapters.base import Untranslatable
from adapters.registry import Platform, needs_tls, open_platform, read_profile
from adapters.rules import Faulty
from adapters.transport import is_loopback
from agreements import oneform
from agreements.oneform import OneForm
from gateway.config import Config, ConfigError, LocalPlatform, secret
from gateway.profile_files import BUNDLED, beside
from schemas.errors import Invalid
from signing.providers import Provider
from signing.sm2 import Signer


def open_all(
    config: Config,
    base: Path,
    signer: Callable[[], Signer],
    provider: Provider,
    new_nonce: Callable[[], str],
    now_ms: Callable[[], int],
) -> dict[str, Platform]:
    """Platform id -> open platform. Raises ``ConfigError`` that names the platform and what its profile has wrong."""
    return {
        one.id: open_one(config, one, base, signer, provider, new_nonce, now_ms)
        for one in (*config.platform, *config.national)
    }


def open_one(
    config: Config,
    platform: LocalPlatform,
    base: Path,
    signer: Callable[[], Signer],
    provider: Provider,
    new_nonce: Callable[[], str],
    now_ms: Callable[[], int],
) -> Platform:
    """One of them."""
    where = f"platform.{platform.id}.profile"
    profile, files = _files(platform, base, where)
    _safe(config, platform, profile, files)
    secrets = {name: secret(source, base) for name, source in platform.secrets.items()}
    try:
        return open_platform(
            platform, profile, files, signer, provider, new_nonce, now_ms, secrets, lab=config.node.lab
        )
    except Untranslatable as bad:
        raise ConfigError(where, f"{bad.path} {bad.zh}".strip(), f"{bad.path} {bad.en}".strip()) from None
    except Faulty as faulty:
        first = faulty.findings[0]
        raise ConfigError(where, f"{first.where} {first.zh}", f"{first.where} {first.en}") from None


def check(config: Config, base: Path) -> None:
    """That every platform's profile is there, and that none goes in the clear that must not. Raises ``ConfigError``."""
    for one in config.platform:
        _safe(config, one, *_files(one, base, f"platform.{one.id}.profile"))


def _safe(config: Config, platform: LocalPlatform, profile: bytes, beside: Mapping[str, bytes]) -> None:
    """A platform whose own signature leaves the body uncovered is spoken to by TLS, and speaks to us by it: to the proxy before
    our listener, on this machine. A laboratory may do without."""
    where = f"platform.{platform.id}"
    try:
        needed = not config.node.lab and needs_tls(read_profile(profile, beside))
    except Untranslatable as bad:
        raise ConfigError(f"{where}.profile", f"{bad.path} {bad.zh}".strip(), f"{bad.path} {bad.en}".strip()) from None
    if not needed:
        return
    url = URL(platform.base_url)
    if url.scheme != "https" and not is_loopback(url.host or ""):
        zh, en = (
            "此方案的签名不覆盖报文，须用 https://",
            "this profile's signature leaves the body uncovered: https:// is needed",
        )
        raise ConfigError(f"{where}.base_url", zh, en)
    if not is_loopback(config.listen.platform.rpartition(":")[0]):
        zh = f"平台 {platform.id} 须经 TLS 来访：platform 只监听本机回环地址，由同机的 TLS 反向代理转发"
        en = f"platform {platform.id} has to come by TLS: listen on the loopback, behind a TLS proxy on this machine"
        raise ConfigError("listen.platform", zh, en)


def by_item(platforms: Sequence[LocalPlatform], party: str) -> Callable[[str], str]:
    """Item -> id of this party's platform that handles it (按事项分流): who lists its code, else who lists the longest beginning
    of it, else the first that lists nothing; "" where there is none. A guest's platform handles none of our cases."""
    own = [one for one in platforms if one.party in ("", party)]
    listed = {code: one.id for one in own for code in one.items}
    wide = sorted((code for code in listed if code.endswith("*")), key=len, reverse=True)
    rest = next((one.id for one in own if not one.items), "")

    def chosen(item: str) -> str:
        if item in listed:
            return listed[item]
        return next((listed[code] for code in wide if item.startswith(code[:-1])), rest)

    return chosen


def forms(config: Config, base: Path) -> dict[str, OneForm]:
    """The forms for several items, by the code that each is handed in under."""
    read: dict[str, OneForm] = {}
    for one in config.one_form:
        try:
            form = oneform.read((base / one.file).read_bytes())
        except OSError as error:
            raise ConfigError(
                one.file, f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})"
            ) from None
        except Invalid as bad:
            raise ConfigError(one.file, bad.zh, bad.en) from None
        if form.item in read:
            raise ConfigError(one.file, f"{form.item} 已有一张表单", f"there is a form for {form.item} already")
        read[form.item] = form
    return read


def _files(platform: LocalPlatform, base: Path, where: str) -> tuple[bytes, dict[str, bytes]]:
    """A profile's bytes, and the files that it may name."""
    name = platform.profile
    own = name.endswith(".toml")
    folder = (base / name).parent if own else BUNDLED
    try:
        profile = (folder / (Path(name).name if own else f"{name}.toml")).read_bytes()
        return profile, beside(folder, profile)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ConfigError(where, f"方案 {name} 读不出（{why}）", f"the profile {name} cannot be read ({why})") from None
