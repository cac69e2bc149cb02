"""Urls that others named: which are called, and to which address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from longmen_server.platform.outbound import BlockedUrlError, destination_of, pinned_address

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKED = {
    "http://shop.example/": "scheme",
    "ftp://shop.example/": "scheme",
    "file:///etc/passwd": "scheme",
    "//shop.example/": "scheme",
    "https://user@shop.example/": "userinfo",
    "https://user:word@shop.example/": "userinfo",
    "https://shop.example/#part": "fragment",
    "https://shop.example/#": "fragment",
    "https:///path": "host",
    "https://": "host",
    "https://shop .example/": "host",
    "https://shop.example\\@127.0.0.1/": "userinfo",
    "https://shop.example/\r\nhost: x": "host",
    "https://sh\u043ep.example/": "host",
    "https://shop.example:99999/": "host",
    "https://shop.example:22/": "port",
    "https://shop.example:25/": "port",
    "https://127.0.0.1/": "address",
    "https://127.1/": "address",
    "https://2130706433/": "address",
    "https://0x7f000001/": "address",
    "https://0177.0.0.1/": "address",
    "https://0.0.0.0/": "address",
    "https://10.1.2.3/": "address",
    "https://172.16.0.1/": "address",
    "https://192.168.1.1/": "address",
    "https://169.254.169.254/latest/meta-data": "address",
    "https://100.64.0.1/": "address",
    "https://224.0.0.1/": "address",
    "https://255.255.255.255/": "address",
    "https://[::1]/": "address",
    "https://[::]/": "address",
    "https://[fe80::1]/": "address",
    "https://[fc00::1]/": "address",
    "https://[::ffff:127.0.0.1]/": "address",
    "https://[::ffff:a00:1]/": "address",
    "https://[64:ff9b::7f00:1]/": "address",
    "https://[2002:7f00:1::]/": "address",
    "https://[ff02::1]/": "address",
}


@pytest.mark.parametrize("url", BLOCKED)
def test_what_leads_inside_or_astray_is_not_called(url: str) -> None:
    with pytest.raises(BlockedUrlError) as caught:
        destination_of(url, development=False)
    assert caught.value.rule == BLOCKED[url]


def test_public_urls_are_called_as_they_are() -> None:
    found = destination_of("https://shop.example:8443/hook?a=1&b=2", development=False)
    assert (found.host, found.port, found.path) == ("shop.example", 8443, "/hook?a=1&b=2")
    assert destination_of("https://93.184.216.34", development=False).path == "/"


def test_servers_to_try_out_may_call_this_machine_and_nothing_else_inside() -> None:
    assert destination_of("http://127.0.0.1:8080/", development=True).port == 8080
    for url in ("http://10.0.0.1/", "http://169.254.169.254/"):
        with pytest.raises(BlockedUrlError):
            destination_of(url, development=True)


@pytest.mark.parametrize(
    ("addresses", "blocked"),
    [
        (["93.184.216.34"], False),
        (["93.184.216.34", "2606:2800:220:1::1"], False),
        (["93.184.216.34", "127.0.0.1"], True),
        (["::ffff:10.0.0.1"], True),
        (["fe80::1%eth0"], True),
    ],
)
async def test_a_name_is_called_at_an_address_it_has_if_all_are_public(
    addresses: list[str], *, blocked: bool
) -> None:
    async def look_up(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("shop.example", 443)
        return addresses

    where = destination_of("https://shop.example/", development=False)
    if blocked:
        with pytest.raises(BlockedUrlError):
            await pinned_address(where, development=False, look_up=look_up)
    else:
        found = await pinned_address(where, development=False, look_up=look_up)
        assert found == addresses[0]


async def test_a_name_without_addresses_is_unreachable() -> None:
    async def nowhere(_: str, __: int) -> Sequence[str]:
        return []

    where = destination_of("https://shop.example/", development=False)
    with pytest.raises(OSError, match="no address"):
        await pinned_address(where, development=False, look_up=nowhere)
