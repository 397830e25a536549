"""The header of App Service authentication, read strictly: anything unusual is nobody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.console.principal import NotSignedInError, Principal, Role, read_principal
from tests.console.visitors import LONG_ROLES, NAME, PERSON, a_header, encoded
from tests.world import TENANT

OTHER = "99999999-1111-4111-8111-111111111111"


def read(*headers: str) -> Principal:
    return read_principal(headers, tenant_id=TENANT)


def test_a_person_has_an_object_id_a_name_and_roles() -> None:
    found = read(a_header("Console.Read", "Console.Decide"))

    assert (found.object_id, found.name) == (PERSON, NAME)
    assert found.roles == {Role.READ, Role.DECIDE}


def test_the_long_names_of_claims_are_read_too() -> None:
    schema = "http://schemas.microsoft.com/identity/claims"
    claims = {"tid": None, "oid": None, f"{schema}/tenantid": TENANT, f"{schema}/objectidentifier": PERSON}

    assert read(a_header("Console.Read", claims=claims)).object_id == PERSON


@pytest.mark.parametrize("role_typ", ["roles", LONG_ROLES, "", "groups"])
def test_app_roles_are_claims_of_the_type_roles_whatever_role_typ_is(role_typ: str) -> None:
    """As azure-functions-host 3898 and microsoft-identity-web 2166 show it."""
    assert read(a_header("Console.Decide", role_typ=role_typ)).roles == {Role.DECIDE}


def test_roles_of_the_type_that_role_typ_names_count_too() -> None:
    claims = [("tid", TENANT), ("oid", PERSON), (LONG_ROLES, "Console.Decide"), ("roles", "Console.Allowlist")]
    header = {"auth_typ": "aad", "role_typ": LONG_ROLES, "claims": [{"typ": kind, "val": val} for kind, val in claims]}

    assert read(encoded(header)).roles == {Role.DECIDE, Role.ALLOWLIST}


def test_roles_of_a_known_type_that_role_typ_does_not_name_give_nothing() -> None:
    assert read(a_header(role_typ="roles", claims={LONG_ROLES: "Console.Decide"})).roles == set()


def test_a_role_typ_that_names_another_claim_gives_no_role() -> None:
    assert read(a_header(role_typ="preferred_username", claims={"preferred_username": "Console.Decide"})).roles == set()


def test_an_unknown_role_gives_nothing() -> None:
    assert read(a_header("Console.Owner", "console.decide")).roles == set()


def test_a_blank_name_is_none() -> None:
    assert read(a_header("Console.Read", claims={"preferred_username": " ", "upn": NAME})).name == NAME


def test_blank_roles_and_roles_with_spaces_give_nothing() -> None:
    assert read(a_header(" Console.Decide", "")).roles == set()


def test_an_application_is_named_by_its_id() -> None:
    found = read(a_header("Console.Read", claims={"preferred_username": None, "azp": OTHER}))

    assert found.name == f"application {OTHER}"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], "no_principal"),
        ([a_header("Console.Read")] * 2, "doubled_principal"),
        ([f"{a_header('Console.Read')},{a_header('Console.Read')}"], "unreadable_principal"),
        ([""], "unreadable_principal"),
        (["not base64!"], "unreadable_principal"),
        ([encoded([])], "unreadable_principal"),
        ([encoded({"auth_typ": "aad"})], "unreadable_principal"),
        ([encoded({"auth_typ": "aad", "claims": [{"typ": "oid", "val": 7}]})], "unreadable_principal"),
        (["A" * 40_000], "unreadable_principal"),
        ([a_header("Console.Read", auth_typ="github")], "other_provider"),
        ([a_header("Console.Read", claims={"tid": OTHER})], "other_tenant"),
        ([a_header("Console.Read", claims={"tid": None})], "other_tenant"),
        ([a_header("Console.Read", claims={"http://schemas.microsoft.com/identity/claims/tenantid": OTHER})],
         "other_tenant"),
        ([a_header("Console.Read", claims={"oid": None})], "no_object_id"),
        ([a_header("Console.Read", claims={"oid": "me"})], "no_object_id"),
    ],
)  # fmt: skip
def test_anything_else_is_nobody(headers: list[str], why: str) -> None:
    with pytest.raises(NotSignedInError, match=why):
        read(*headers)


@given(st.text(max_size=200) | st.dictionaries(st.text(max_size=9), st.text(max_size=9)).map(encoded))
def test_no_header_raises_anything_else(text: str) -> None:
    with pytest.raises(NotSignedInError):
        read(text)


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        ((), set()),
        (("Console.Read",), {Role.READ}),
        (("Console.Allowlist",), {Role.READ, Role.ALLOWLIST}),
        (("Console.Decide",), {Role.READ, Role.DECIDE}),
    ],
)
def test_each_role_includes_reading_and_nothing_else(roles: tuple[Any, ...], allowed: set[Role]) -> None:
    found = read(a_header(*roles))

    assert {role for role in Role if found.may(role)} == allowed
