"""`make exchange-worker` with modules from a gallery: which packages are refused.

The real script runs against a gallery on loopback.
"""

from __future__ import annotations

import re
import shutil
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.exchange_online.powershell import APP
from tests.exchange_worker.packaging import EXCHANGE, PINS, Gallery, Packaging, a_manifest, a_package, refused


@pytest.fixture
def packaging(tmp_path: Path) -> Packaging:
    return Packaging(tmp_path)


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    served = Gallery()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


def test_packages_with_the_recorded_hash_are_taken(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes())

    ended = packaging.run(GALLERY_URL=f"{gallery.url}/")

    assert ended.returncode == 0, ended.stderr
    assert gallery.asked == [gallery.path(name) for name in PINS]
    assert "ExchangeOnlineManagement 3.10.1 is downloaded" in ended.stderr


def test_a_redirect_is_followed(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes())
    gallery.answers["/cdn"] = gallery.answers[gallery.path()]
    gallery.put(b"", status=302, headers={"Location": f"{gallery.url}/cdn"})

    assert packaging.run(GALLERY_URL=gallery.url).returncode == 0


@pytest.mark.parametrize("address", ["http://mirror.example/a", "https://name:word@mirror.example/a"])
def test_a_redirect_to_an_address_that_would_be_refused_is_refused(
    packaging: Packaging, gallery: Gallery, address: str
) -> None:
    packaging.record(gallery.hashes())
    gallery.put(b"", status=302, headers={"Location": address})

    assert "only https" in refused(packaging.run(GALLERY_URL=gallery.url))


@pytest.mark.parametrize(
    "address",
    [
        "http://mirror.example/api",
        "http://127.0.0.1.mirror.example",
        "http://127.0.0.1@mirror.example",
        "https://name:word@mirror.example",
        "file:///tmp",
        "mirror.example",
        "https://[",
    ],
)
def test_an_address_that_is_not_https_without_credentials_is_refused(packaging: Packaging, address: str) -> None:
    line = refused(packaging.run("--record-hash", GALLERY_URL=address))

    assert "only https" in line
    assert "word" not in line


def test_without_a_hash_nothing_is_downloaded(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes() | {"PowerShellGet": None})

    line = refused(packaging.run(GALLERY_URL=gallery.url))

    assert "no hash of PowerShellGet 2.2.5: ARGS=--record-hash" in line
    assert "trust on first use" in line
    assert gallery.asked == []


def test_another_hash_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    packaging.record(gallery.hashes() | {EXCHANGE: "0" * 64})

    assert "is not the recorded package" in refused(packaging.run(GALLERY_URL=gallery.url))
    assert packaging.left() == []


def test_a_hash_in_capitals_is_the_same(packaging: Packaging, gallery: Gallery) -> None:
    """Get-FileHash writes them so."""
    capitals: dict[str, str | None] = {name: str(each).upper() for name, each in gallery.hashes().items()}
    packaging.record(capitals)

    assert packaging.run(GALLERY_URL=gallery.url).returncode == 0
    assert packaging.recorded() == capitals


def test_a_hash_is_recorded_when_asked(packaging: Packaging, gallery: Gallery) -> None:
    ended = packaging.run("--record-hash", GALLERY_URL=gallery.url)

    assert packaging.recorded() == gallery.hashes()
    assert f"compare it with a second source: {EXCHANGE} SHA-256 {gallery.hashes()[EXCHANGE]}" in ended.stderr


def test_the_lock_file_keeps_its_form_when_a_hash_is_recorded(packaging: Packaging, gallery: Gallery) -> None:
    shutil.copy(APP / "modules.lock.json", packaging.lock)
    before = packaging.lock.read_text()
    packaging.run("--record-hash", GALLERY_URL=gallery.url)

    assert re.sub(r'"[0-9a-f]{64}"', "null", packaging.lock.read_text()) == re.sub(r'"[0-9a-f]{64}"', "null", before)


def test_a_recorded_hash_is_never_replaced(packaging: Packaging, gallery: Gallery) -> None:
    packaging.run("--record-hash", GALLERY_URL=gallery.url)
    before = packaging.lock.read_bytes()
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1", "# changed")))

    line = refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))

    assert "is not the recorded package" in line
    assert packaging.lock.read_bytes() == before


def test_a_package_with_another_version_in_it_is_refused_and_not_recorded(
    packaging: Packaging, gallery: Gallery
) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.2")))

    line = refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))

    assert "declares 3.10.2" in line
    assert set(packaging.recorded().values()) == {None}


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "a/../../evil", "..\\evil", "%2e%2e/evil", "..%5Cevil", "C:evil", "a//evil", "./evil"]
)
def test_a_package_that_writes_elsewhere_is_refused(packaging: Packaging, gallery: Gallery, name: str) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1"), **{name: b"evil"}))

    line = refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))

    assert "leads out of it" in line
    assert list(packaging.folder.rglob("*evil*")) == []
    assert packaging.left() == []


def test_a_name_is_unescaped_as_nuget_escaped_it(packaging: Packaging, gallery: Gallery) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1"), **{"a%20b.txt": b"x"}))
    packaging.record(gallery.hashes())

    packaging.run(GALLERY_URL=gallery.url)

    assert f"Modules/{EXCHANGE}/a b.txt" in packaging.names()


def test_a_package_that_unpacks_to_too_much_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    size = struct.pack("<I", 54321)
    body = a_package(EXCHANGE, a_manifest("3.10.1"), big=b"0" * 54321)
    gallery.put(body.replace(size, struct.pack("<I", 2_000_000_000)))

    assert "unpacks to more than" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))


def test_a_package_that_is_too_large_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    gallery.put(b"PK", headers={"Content-Length": "2000000000"})

    assert "is larger than" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b"PK\x03\x04"])
def test_what_is_no_zip_is_refused_and_not_recorded(packaging: Packaging, gallery: Gallery, body: bytes) -> None:
    gallery.put(body)

    assert "is no package" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url))
    assert set(packaging.recorded().values()) == {None}


def test_a_package_that_is_not_there_is_refused(packaging: Packaging, gallery: Gallery) -> None:
    line = refused(packaging.run("--record-hash", GALLERY_URL=f"{gallery.url}/wrong"))

    assert "the gallery has no ExchangeOnlineManagement 3.10.1 (HTTP 404)" in line


@pytest.mark.parametrize("status", [403, 503])
def test_a_gallery_that_does_not_give_it_is_not_reached(packaging: Packaging, gallery: Gallery, status: int) -> None:
    gallery.put(b"", status=status)

    assert f"HTTP {status}" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url), code=3)


def test_a_download_that_breaks_off_is_not_reached_and_not_recorded(packaging: Packaging, gallery: Gallery) -> None:
    gallery.put(a_package(EXCHANGE, a_manifest("3.10.1")), headers={"Content-Length": "100000"})

    assert "broke off" in refused(packaging.run("--record-hash", GALLERY_URL=gallery.url), code=3)
    assert set(packaging.recorded().values()) == {None}


def test_where_nobody_listens_nothing_is_reached(packaging: Packaging) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        ended = packaging.run("--record-hash", GALLERY_URL=f"http://127.0.0.1:{bound.getsockname()[1]}")

    assert "MODULES_FROM" in refused(ended, code=3)
    assert packaging.left() == []


def test_both_sources_give_the_same_bytes(packaging: Packaging, gallery: Gallery) -> None:
    packaging.save()
    packaging.from_folder()
    first = packaging.zip.read_bytes()
    packaging.record(gallery.hashes())

    packaging.run(GALLERY_URL=gallery.url)

    assert packaging.zip.read_bytes() == first
