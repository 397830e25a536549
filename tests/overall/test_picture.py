"""The picture in the README is what the responder prints today."""

from __future__ import annotations

import re

from tests.picture import PICTURE, draw


def test_the_picture_is_current() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(), "draw it again: make picture"


def test_the_picture_asks_no_other_server() -> None:
    links = re.findall(r"""(?:href=|src=|url\(|@import)\s*["']?(?!#)[^"'\s)>]+""", PICTURE.read_text(encoding="utf-8"))

    assert [link for link in links if "://" in link] == []
