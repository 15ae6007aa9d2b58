"""A17: where a callback may go. Every trick of writing an address, and every kind of address that is not the public net."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Untranslatable
from adapters.webhook.address import permitted, read_endpoint, read_registered

FORMS = """
http://2130706433/ http://0x7f000001/ http://0x7f.1/ http://0177.0.0.1/ http://127.1/ http://127.0.0.01/ http://0/ http://127.0.0.1./
http://1.2.3.4.5/ http://[::1/ http://::1/ http://[127.0.0.1]/ http://[fe80::1%25eth0]/ http://[::ffff:0x7f000001]/ http://1/ https://example.0x7f/
https://user@example.cn/ https://user:word@example.cn/ https://example.cn@127.0.0.1/ https://example.cn%40127.0.0.1/ https://@example.cn/
https://example.cn\\@127.0.0.1/ https://example.cn\\.evil.cn/ https:///example.cn/ https:example.cn https:/example.cn //example.cn/
gopher://example.cn/ file:///etc/passwd ftp://example.cn/ dict://example.cn:11211/ ws://example.cn/ javascript:alert(1) https://example.cn/#a
https://example.cn:/ https://example.cn:0443/ https://example.cn:+443/ https://example.cn:443:80/ https://example.cn:0/ https://EXAMPLE.cn/
https://example..cn/ https://-example.cn/ https://example.cn./ https://例子.cn/ https://ex%61mple.cn/ https://example.cn/a\\b https://example.cn/a\"b
https://example_x.cn/ https://. https://example.cn?a=1 HTTPS://example.cn/ https://１２７.0.0.1/ https://example。cn/
"""


@pytest.mark.parametrize(
    "url",
    [
        *FORMS.split(),
        "",
        " https://example.cn/",
        "https://example.cn/\n",
        "https://example.cn/a b",
        "https://example.cn/\x00",
    ],
)
def test_A17_an_address_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    """A17: decimal, octal and hex IP, userinfo, other schemes, control characters, full-width digits."""
    with pytest.raises(Untranslatable) as caught:
        read_endpoint(url, lab=True)
    assert caught.value.code == "endpoint-form"


@pytest.mark.parametrize(("port", "good"), [(22, False), (25, False), (0, False), (1023, False), (65536, False), (99999, False),
                                            (80, True), (443, True), (1024, True), (8443, True), (65535, True)])  # fmt: skip
def test_A17_a_port_of_another_service_is_refused(port: int, good: bool) -> None:
    """A17: wrong port."""
    if good:
        assert read_endpoint(f"https://example.cn:{port}/x", lab=False).port == port
    else:
        with pytest.raises(Untranslatable):
            read_endpoint(f"https://example.cn:{port}/x", lab=False)


def test_plain_http_is_for_demonstration_nodes() -> None:
    assert read_endpoint("http://example.cn/x", lab=True).port == 80
    with pytest.raises(Untranslatable) as caught:
        read_endpoint("http://example.cn/x", lab=False)
    assert caught.value.code == "endpoint-not-tls"


def test_an_endpoint_goes_out_as_it_was_registered() -> None:
    named = read_endpoint("https://hook.example.cn:8443/a/b%2Fc?x=1&y=%E5%8A%9E", lab=False)
    assert (named.named, named.target) == ("hook.example.cn:8443", "/a/b%2Fc?x=1&y=%E5%8A%9E")
    assert named.at(ip_address("198.18.0.1")) == "https://198.18.0.1:8443/a/b%2Fc?x=1&y=%E5%8A%9E"
    plain = read_endpoint("https://[2400:3200::1]", lab=False)
    assert (plain.named, plain.target, plain.at(ip_address("2400:3200::1"))) == (
        "[2400:3200::1]", "/", "https://[2400:3200::1]:443/",
    )  # fmt: skip


INSIDE = """
127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 169.254.0.23
100.64.0.1 100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1
224.0.0.1 239.1.2.3 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 fe80::1 fc00::1 fd00:ec2::254 ff02::1 ff0e::1 fec0::1
64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 2002:7f00:1::1 2002:a00:1::1 2001::1 2001:db8::1 100::1
"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_A17_what_is_not_the_public_net_is_refused_unless_registered(address: str) -> None:
    """A17: loopback, private, link-local, metadata, mapped, transitional, multicast, reserved."""
    assert not permitted(ip_address(address), ())
    real = getattr(ip_address(address), "ipv4_mapped", None) or ip_address(address)
    assert permitted(ip_address(address), read_registered([str(real)]))


@pytest.mark.parametrize("address", ["1.2.4.8", "114.114.114.114", "223.5.5.5", "::ffff:223.5.5.5", "2400:3200::1"])
def test_the_public_net_is_open_until_addresses_are_registered(address: str) -> None:
    assert permitted(ip_address(address), ())
    assert not permitted(ip_address(address), read_registered(["10.1.2.0/24"]))


@given(st.ip_addresses(network="10.1.2.0/24") | st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_where_addresses_are_registered_only_they_count(address: Any) -> None:
    registered = read_registered(["10.1.2.0/24"])
    real = getattr(address, "ipv4_mapped", None) or address
    assert permitted(address, registered) == (str(real).startswith("10.1.2.") and real.version == 4)


@pytest.mark.parametrize("text", ["", "x", "10.0.0.1/24", "10.0.0.0/33", "example.cn", "010.0.0.1"])
def test_what_is_no_address_cannot_be_registered(text: str) -> None:
    with pytest.raises(Untranslatable):
        read_registered([text])
