from __future__ import annotations

import pytest

from bypass_responder.evidence.networks import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [("198.51.100.7", "198.51.0.0/16"), ("2001:db8:1::1", "2001:db8::/32"), ("", ""), ("somewhere", "")],
)
def test_an_address_has_a_network(address: str, network: str) -> None:
    assert network_of(address) == network
