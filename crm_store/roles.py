"""What the roles of Peyvand agree on when they talk to each other."""

from __future__ import annotations

from ipaddress import ip_address

#: In this header the roles send one another their shared secret.
SECRET_HEADER = "X-Peyvand-Secret"  # noqa: S105  # a header's name


def is_loopback(host: str) -> bool:
    """Whether a host, by address or name, is this machine's own and reached by nobody else."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"
