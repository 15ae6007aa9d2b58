"""The command ``tongban``: a table of nouns, each loaded only when it is called (``--help`` stays under 0.3 s)."""

from __future__ import annotations

from importlib import import_module

import click

from gateway.lang import say

# noun: (module that exports ``group``, Chinese, English)
NOUNS: dict[str, tuple[str, str, str]] = {
    "demo": ("gateway.cli.demo", "两省演示", "the two-province demo"),
    "init": ("gateway.cli.init", "新建节点目录", "make a node directory"),
    "serve": ("gateway.cli.serve", "运行网关", "run the gateway"),
    "doctor": ("gateway.cli.doctor", "自检并给出修复办法", "self-check with fixes"),
    "config": ("gateway.cli.config", "配置检查与查看", "check and show configuration"),
    "sm": ("gateway.cli.sm", "文件的 SM2/SM3/SM4 运算", "SM2/SM3/SM4 on files"),
    "cert": ("gateway.cli.cert", "SM2 证书", "SM2 certificates"),
    "seal": ("gateway.cli.seal", "电子印章与电子签章", "electronic seals and stamps"),
    "ecert": ("gateway.cli.ecert", "电子证照", "e-certificates"),
    "cms": ("gateway.cli.cms", "GB/T 35275 签名数据与数字信封", "messages after GB/T 35275, signed or enveloped"),
    "tsa": ("gateway.cli.tsa", "文件的时间戳；试验用机构", "time stamps of files; a laboratory's authority"),
    "evidence": ("gateway.cli.evidence", "证据包导出与离线核验", "evidence packages, verified offline"),
    "ledger": ("gateway.cli.ledger", "账本", "the ledger"),
    "agreement": ("gateway.cli.agreement", "通办协议", "agreements"),
    "item": ("gateway.cli.item", "事项清单", "item lists"),
    "route": ("gateway.cli.route", "路由判定与条款", "routing decisions with their clause"),
    "map": ("gateway.cli.map", "字段映射", "mapping rules"),
    "adapter": ("gateway.cli.adapter", "平台适配", "platform adapters"),
    "kit": ("gateway.cli.kit", "平台符合性测试", "the partner conformance kit"),
    "case": ("gateway.cli.case", "办件", "cases"),
    "msg": ("gateway.cli.msg", "报文", "messages"),
    "deadletter": ("gateway.cli.deadletter", "死信：待人处置的投递", "deliveries that wait for a person"),
    "recon": ("gateway.cli.recon", "对账：与办件归集库核对", "reconciliation with collectors of case data"),
    "peer": ("gateway.cli.peer", "对端网关", "partner gateways"),
    "registry": ("gateway.cli.registry", "名册：多方共签的名片清单", "the registry of cards"),
    "key": ("gateway.cli.key", "本节点的密钥", "our own keys"),
    "db": ("gateway.cli.db", "数据库", "database"),
    "public": ("gateway.cli.public", "扫码核验页与状态快照", "certificate pages and status snapshots"),
    "bench": ("gateway.cli.bench", "性能测量与基线", "figures beside their baselines"),
}


class Nouns(click.Group):
    """Loads a noun's module when it is called, and exits 64 on wrong usage as the contract says."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        command = import_module(NOUNS[cmd_name][0]).group
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong table is a defect of ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("命令", "Commands")):
            formatter.write_dl([(noun, say(zh, en)) for noun, (_, zh, en) in NOUNS.items()])


@click.group(
    cls=Nouns,
    help=say(
        "通办网关：异地收件、属地办理，步步可证。",
        "The Tongban gateway: collected here, handled there, provable.",
    ),
)
@click.version_option(package_name="tongban", prog_name="tongban")
def root() -> None:
    """The root of all nouns."""


def main() -> None:
    """Entry point. Wrong usage exits 64 (EX_USAGE); every other code is set by the command itself."""
    click.exceptions.UsageError.exit_code = 64
    root()
