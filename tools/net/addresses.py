"""Which addresses a connection may go to: the rule of the HTTP gateway (gateway.py), for anyone who opens a connection.
May touch: the system's resolver. Touches no address itself.
Does not promise: that a public address is harmless.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence

from outrider.tools.process.deadlines import in_thread
from outrider.tools.tool import ToolError

RESOLVE_S = 10.0
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
# Not for the public, or a tunnel to what is not. Source: IANA special-purpose registries; the single hosts are clouds'
# metadata services at addresses that look public (Azure, Alibaba, Oracle).
_CLOSED = tuple(
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "168.63.129.16/32", "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001:2::/48",
        "2001:10::/28", "2001:20::/28", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


async def check_address(host: str, port: int, allowed: Sequence[str] = ()) -> list[str]:
    """The addresses of `host` a connection may go to, in the resolver's order. Connect to these, not to the name.

    Raises ToolError when the name has no address, or none that is public and the host is not allowed by name.
    """
    try:
        found = await in_thread(resolve, host, port, seconds=RESOLVE_S)
    except (OSError, UnicodeError) as error:
        late = isinstance(error, TimeoutError)
        why = "the name was not resolved in time" if late else f"the name does not resolve ({error})"
        raise ToolError(
            f"{short(host)} cannot be reached", why, "check the name, or whether there is a network"
        ) from None
    return judge(host, port, found, allowed)


def judge(host: str, port: int, addresses: Iterable[str], allowed: Sequence[str] = ()) -> list[str]:
    """Those of `addresses` that may be connected to under the name `host`. Raises ToolError when none may."""
    addresses = list(addresses)
    if is_allowed(host, port, allowed):
        return addresses
    good = [address for address in addresses if is_public(address)]
    if not good:
        raise ToolError(
            f"the address of {short(host)} is refused",
            f"{', '.join(addresses[:3]) or 'it'} is private, local or reserved",
            f"use a public address; a person can allow it with --allow-host {short(host)}:{port}",
        )
    return good


def is_allowed(host: str, port: int, allowed: Sequence[str]) -> bool:
    """Whether the host, as it is written in the address, was allowed: "name", "name:port" or "*.name" (with ":port")."""
    name = _plain(host)
    for entry in allowed:
        wanted, entry_port = _split(entry)
        if entry_port not in (None, port):
            continue
        if name == wanted or (wanted.startswith("*.") and name.endswith(wanted[1:]) and len(name) > len(wanted) - 1):
            return True
    return False


def is_host(host: str) -> bool:
    """Whether a text can be the host of a web address: a name of letters, digits, dots, - and _, or an IP address without a zone.

    A resolver may read more out of other signs than we do, and so may a proxy.
    """
    if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}", host):
        return True
    try:
        ipaddress.IPv6Address(host.strip("[]"))
    except ValueError:
        return False
    return "%" not in host


def is_local_name(host: str) -> bool:
    """Whether a name means this machine wherever it is resolved."""
    name = _plain(host)
    return name in ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback") or name.endswith(
        ".localhost"
    )


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, after unwrapping IPv4 inside IPv6 (mapped, 6to4, NAT64, Teredo)."""
    ip: IPAddress = ipaddress.ip_address(address.split("%")[0])
    if any(ip in block for block in _CLOSED if block.version == ip.version):
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inside = _inside(ip)
        return all(is_public(str(part)) for part in inside) if inside else ip in _GLOBAL_V6
    return True


_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


def _inside(ip: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses an IPv6 address stands for."""
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip.sixtofour is not None:
        return [ip.sixtofour]
    if ip.teredo is not None:
        return list(ip.teredo)
    if ip in _NAT64 or ip in _COMPATIBLE:
        return [ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)]
    return []


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the resolver's order. Blocks. Raises OSError or UnicodeError."""
    rows = socket.getaddrinfo(_plain(host), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _split(entry: str) -> tuple[str, int | None]:
    """("host", port or None) of an entry of `allowed`."""
    entry = entry.strip()
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*):(\d{1,5})", entry)
    return (_plain(match[1]), int(match[2])) if match else (_plain(entry), None)


def short(text: str) -> str:
    """Somebody else's text, fit for a message: at most 200 characters, unprintable ones replaced."""
    return "".join(c if c.isprintable() else "?" for c in text[:200])
