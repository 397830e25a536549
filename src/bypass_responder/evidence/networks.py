"""The network of an address, where the service names none. Pure."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

_BITS = {4: 16, 6: 32}
"""About what one provider has. Coarser than a subnet, so that a new address at home is not a new network."""


def network_of(address: str) -> str:
    """Return the network of an address, such as ``198.51.0.0/16``; empty for anything else."""
    try:
        found = ip_address(address.strip())
    except ValueError:
        return ""
    return str(ip_network((found, _BITS[found.version]), strict=False))
