"""How a provider is asked, by its settings: what may be said, and that no secret is ever told."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from app.infrastructure.settings.configuration import load_settings
from app.infrastructure.settings.settings import ProviderSettings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.wiring.provider_directory import check_providers
from app.infrastructure.wiring.provider_requests import feed_request_of, pinned_get_of

CERTIFICATE = Path(__file__).parents[2] / "data" / "localhost.pem"
URL = "https://provider.example/feed"


def provider_of(folder: Path, **said: object) -> ProviderSettings:
    file = folder / "config.yaml"
    file.write_text(json.dumps({"providers": [{"name": "acme", "url": URL, **said}]}))
    return load_settings(file).providers[0]


def mistake_in(folder: Path, **said: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        provider_of(folder, **said)
    [line] = caught.value.mistakes
    assert "\n" not in line
    return line.removeprefix(f"{folder / 'config.yaml'}: ")


def test_values_of_headers_and_the_body_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "s3cret")
    headers = {"Authorization": "Bearer ${ACME_TOKEN}", "X-Literal": "$${ACME_TOKEN} $5 ${"}

    found = feed_request_of(provider_of(tmp_path, headers=headers, method="POST", body="<key>${ACME_TOKEN}</key>"))

    assert found.headers == {"Authorization": "Bearer s3cret", "X-Literal": "${ACME_TOKEN} $5 ${"}
    assert found.body == "<key>s3cret</key>"


@pytest.mark.parametrize(
    "said", [{"headers": {"X-Key": "${ACME_TOKEN}"}}, {"method": "POST", "body": "a ${ACME_TOKEN}"}]
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_stops_the_start_with_its_name(
    said: dict[str, object], value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("ACME_TOKEN", value)

    line = mistake_in(tmp_path, **said)

    assert line.startswith(("providers[0].headers.X-Key: ", "providers[0].body: "))
    assert "expected the environment variable 'ACME_TOKEN', found none, or an empty one" in line


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "content-length", "Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Keep-Alive"),
        *("Proxy-Connection", "Expect", "Accept-Encoding", "If-None-Match", "Range", "User-Agent", "Content-Type"),
    ],
)
def test_headers_that_follow_from_the_request_or_the_connection_are_refused(name: str, tmp_path: Path) -> None:
    line = mistake_in(tmp_path, headers={name: "s3cret"})

    assert f"{name} cannot be configured: " in line
    assert "s3cret" not in line


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\r\nHost", "Ñ", "x" * 201])
def test_what_is_no_name_of_a_header_is_refused(name: str, tmp_path: Path) -> None:
    assert "expected the name of a header" in mistake_in(tmp_path, headers={name: "1"})


@pytest.mark.parametrize(
    "value", ["", " ", "s3cret\r\nHost: x", "s3cret\0", "s3cret ", "s3cret ñ", "s3cret" * 2_000, 7]
)
def test_a_value_that_cannot_be_sent_is_refused_and_not_repeated(value: object, tmp_path: Path) -> None:
    line = mistake_in(tmp_path, headers={"X-Key": value})

    assert line.startswith("providers[0].headers.X-Key: ")
    assert "s3cret" not in line


def test_a_value_of_the_environment_that_cannot_be_sent_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "s3cret\nHost: x")

    assert "s3cret" not in mistake_in(tmp_path, headers={"X-Key": "${ACME_TOKEN}"})


def test_a_header_may_be_said_once_and_there_are_not_more_than_fifty(tmp_path: Path) -> None:
    assert "expected each header once, found twice: x-key" in mistake_in(tmp_path, headers={"X-Key": "1", "x-key": "2"})
    assert "at most 50" in mistake_in(tmp_path, headers={f"X-{number}": "1" for number in range(51)})


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"body": "s3cret"}, "body, content_type: belong to `method: POST`"),
        ({"content_type": "text/xml"}, "body, content_type: belong to `method: POST`"),
        ({"method": "PUT"}, "'GET' or 'POST'"),
        ({"user_agent": ""}, "at least 1 character"),
        ({"user_agent": "a\nb"}, "expected visible ASCII characters"),
        ({"url": "file:///feed.xml", "headers": {"X": "1"}}, "headers: nobody is asked for files"),
        ({"kind": "recorded", "files": "demo", "user_agent": "x"}, "user_agent: nobody is asked for files"),
        (
            {"url": "http://provider.example/", "client_certificate": {"certificate": "a.pem"}},
            "client_certificate: needs an https:// URL",
        ),
        (
            {"url": "https://me:s3cret@provider.example/", "headers": {"authorization": "s3cret"}},
            "expected one of the two",
        ),
        ({"client_certificate": "a.pem"}, "expected keys beneath it: certificate, key"),
        ({"client_certificate": {"key": "a.pem"}}, "client_certificate.certificate: Field required"),
    ],
)
def test_what_does_not_belong_together_is_refused(said: dict[str, object], words: str, tmp_path: Path) -> None:
    line = mistake_in(tmp_path, **said)

    assert words in line
    assert "s3cret" not in line


def test_a_kind_from_outside_is_told_everything_and_shows_no_secret(tmp_path: Path) -> None:
    said = {
        "kind": "acme:Acme",
        "headers": {"X-Key": "s3cret"},
        "method": "POST",
        "body": "s3cret",
        "user_agent": "a/1",
    }

    provider = provider_of(tmp_path, **said)

    request = feed_request_of(provider)
    assert (request.headers, request.body, request.user_agent) == ({"X-Key": "s3cret"}, "s3cret", "a/1")
    assert "s3cret" not in repr((provider, request)) + str(provider.model_dump())


def test_paths_of_certificates_are_relative_to_the_file(tmp_path: Path) -> None:
    found = provider_of(tmp_path, ca_file="ca.pem", client_certificate={"certificate": "/a.pem", "key": "k/key.pem"})

    request = feed_request_of(found)
    assert (request.ca_file, request.certificate, request.key) == (
        tmp_path / "ca.pem",
        Path("/a.pem"),
        tmp_path / "k" / "key.pem",
    )


def test_files_that_can_be_used_make_two_contexts(tmp_path: Path) -> None:
    said = {"ca_file": str(CERTIFICATE), "client_certificate": {"certificate": str(CERTIFICATE)}}

    get = pinned_get_of(provider_of(tmp_path, **said))

    assert get.trusted is not None
    assert get.identified is not None
    assert get.trusted is not get.identified


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"ca_file": "gone.pem"}, "ca_file: {folder}/gone.pem: cannot be read: No such file or directory"),
        ({"ca_file": "none.pem"}, "ca_file: {folder}/none.pem: expected certificates in PEM, found none"),
        ({"client_certificate": {"certificate": "gone.pem"}}, "client_certificate: {folder}/gone.pem: cannot be read"),
        (
            {"ca_file": str(CERTIFICATE), "client_certificate": {"certificate": "none.pem"}},
            "client_certificate: {folder}/none.pem: expected a certificate and its key in PEM: found none",
        ),
        (
            {"client_certificate": {"certificate": str(CERTIFICATE), "key": "locked.pem"}},
            "client_certificate: expected a key without a password",
        ),
        (
            {"client_certificate": {"certificate": str(CERTIFICATE), "key": "other.pem"}},
            "the key belongs to another certificate",
        ),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start_with_one_line(
    said: dict[str, object], words: str, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    _write_keys(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"providers": [{"name": "acme", "url": URL, **said}]}))

    with pytest.raises(ConfigurationError) as caught:
        check_providers(load_settings(file))

    [line] = caught.value.mistakes
    assert line.startswith("providers.acme: ")
    assert words.format(folder=tmp_path) in line


def _write_keys(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for name, lock in (("other.pem", NoEncryption()), ("locked.pem", BestAvailableEncryption(b"s3cret"))):
        (folder / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
