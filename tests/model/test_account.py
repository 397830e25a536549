"""An account as Entra ID has it."""

from __future__ import annotations

from tests.world import an_account


def test_a_guest_has_a_home_domain() -> None:
    guest = an_account(upn="pat_fabrikam.example#EXT#@contoso.onmicrosoft.com", guest=True)

    assert guest.home_domain == "fabrikam.example"


def test_a_member_whose_name_looks_like_a_guest_has_no_home_domain() -> None:
    assert an_account(upn="pat_fabrikam.example#EXT#@contoso.onmicrosoft.com").home_domain == ""
