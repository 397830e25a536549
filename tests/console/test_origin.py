"""Accepted origins of a change: a form or script of the console, or a program with a bearer token."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from bypass_responder.console.origin import ForeignRequestError, Kind, kind_of

FORM = {
    "host": "console.contoso.example",
    "origin": "https://console.contoso.example",
    "sec-fetch-site": "same-origin",
    "content-type": "application/x-www-form-urlencoded",
}
SCRIPT = FORM | {"content-type": "application/json; charset=utf-8", "cookie": "AppServiceAuthSession=x"}
PROGRAM = {"host": "console.contoso.example", "content-type": "application/json", "authorization": "Bearer x"}


def kind(given: dict[str, str | None], *, api: bool) -> Kind:
    return kind_of(Headers({name: value for name, value in given.items() if value is not None}), api=api)


@pytest.mark.parametrize(
    ("given", "api", "expected"),
    [
        (FORM, False, Kind.FORM),
        (FORM | {"sec-fetch-site": None}, False, Kind.FORM),
        (FORM | {"content-type": "multipart/form-data; boundary=x"}, False, Kind.FORM),
        (SCRIPT, True, Kind.SCRIPT),
        (PROGRAM, True, Kind.PROGRAM),
        (SCRIPT | {"authorization": "Bearer x"}, True, Kind.SCRIPT),
        (FORM | {"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"}, False, Kind.FORM),
        (FORM | {"host": "[::1]:8080", "origin": "http://[::1]:8080"}, False, Kind.FORM),
        (FORM | {"origin": "https://CONSOLE.contoso.example"}, False, Kind.FORM),
    ],
)
def test_a_genuine_request_is_recognized(given: dict[str, str | None], api: bool, expected: Kind) -> None:
    assert kind(given, api=api) is expected


@pytest.mark.parametrize(
    ("given", "api", "why"),
    [
        (FORM | {"origin": None}, False, "foreign_origin"),
        (FORM | {"origin": "null"}, False, "foreign_origin"),
        (FORM | {"origin": "http://console.contoso.example"}, False, "foreign_origin"),
        (SCRIPT | {"origin": "http://console.contoso.example"}, True, "foreign_origin"),
        (FORM | {"host": "127.0.0.1.evil.example", "origin": "http://127.0.0.1.evil.example"}, False, "foreign_origin"),
        (FORM | {"host": "", "origin": "https://"}, False, "foreign_origin"),
        (FORM | {"origin": "https://["}, False, "foreign_origin"),
        (SCRIPT | {"origin": "https://[::1"}, True, "foreign_origin"),
        (FORM | {"origin": "https://evil.example"}, False, "foreign_origin"),
        (FORM | {"origin": "https://console.contoso.example.evil.example"}, False, "foreign_origin"),
        (FORM | {"sec-fetch-site": "cross-site"}, False, "foreign_site"),
        (FORM | {"sec-fetch-site": "same-site"}, False, "foreign_site"),
        (FORM | {"content-type": "text/plain"}, False, "no_form"),
        (FORM | {"content-type": "application/json"}, False, "no_form"),
        (FORM | {"content-type": None}, False, "no_form"),
        (FORM, True, "no_json"),
        (SCRIPT | {"sec-fetch-site": None}, True, "foreign_site"),
        (SCRIPT | {"sec-fetch-site": "none"}, True, "foreign_site"),
        (SCRIPT | {"origin": "https://evil.example"}, True, "foreign_origin"),
        (SCRIPT | {"authorization": "Bearer x", "sec-fetch-site": "cross-site"}, True, "foreign_site"),
        (PROGRAM | {"authorization": None}, True, "foreign_site"),
        (PROGRAM | {"authorization": "Basic x"}, True, "foreign_site"),
    ],
)
def test_what_may_be_forged_is_refused(given: dict[str, str | None], api: bool, why: str) -> None:
    with pytest.raises(ForeignRequestError, match=why):
        kind(given, api=api)
