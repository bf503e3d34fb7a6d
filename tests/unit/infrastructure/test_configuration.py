"""The settings: where they come from, what overrides what, and what is said of each mistake."""

import json
import os
from pathlib import Path

import pytest

from app.infrastructure.settings.configuration import find_file, load_settings
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.wiring.provider_directory import check_providers

REPOSITORY = Path(__file__).parents[3]
ACME = {"name": "acme", "url": "https://provider.example/feed"}
JWT = {"issuer": "https://issuer.example", "audience": "marquee", "jwks_url": "https://issuer.example/keys"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without a word for Marquee, and an empty working directory."""
    for name in [name for name in os.environ if name.startswith("MARQUEE")]:
        monkeypatch.delenv(name)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return monkeypatch


def a_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return file


def settings_of(tmp_path: Path, **sections: object) -> Settings:
    return load_settings(a_file(tmp_path, json.dumps(sections)))


def mistakes(file: Path | None) -> list[str]:
    """What is said, without the file's name that each line begins with, unless it names a variable."""
    with pytest.raises(ConfigurationError) as raised:
        load_settings(file)
    begin = f"{file}: "
    assert all(line.startswith((begin, "MARQUEE__")) and "\n" not in line for line in raised.value.mistakes)
    return [line.removeprefix(begin) for line in raised.value.mistakes]


def mistakes_in(tmp_path: Path, **sections: object) -> list[str]:
    return mistakes(a_file(tmp_path, json.dumps(sections)))


def test_every_key_has_a_default() -> None:
    settings = load_settings(None)

    assert settings.service.model_dump() == {
        "host": "127.0.0.1",
        "port": 8000,
        "workers": 1,
        "data_dir": Path.cwd() / ".marquee",
        "drain": 10,
        "header_timeout": 10,
        "body_timeout": 30,
        "keep_alive_timeout": 75,
        "max_header_bytes": 32768,
    }
    assert (settings.redis.url, settings.search.timezone, settings.providers) == ("embedded", "UTC", ())
    assert (settings.logging.level, settings.logging.format) == ("info", "auto")


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "service:\n", "providers:\n", "{}"])
def test_a_file_that_says_nothing_means_the_defaults(tmp_path: Path, text: str) -> None:
    settings = load_settings(a_file(tmp_path, text))

    assert settings == load_settings(None).model_copy(update={"service": settings.service})
    assert settings.service.data_dir == tmp_path / ".marquee"


def test_the_repositorys_file_says_what_the_defaults_are() -> None:
    file, defaults = load_settings(REPOSITORY / "config.yaml"), load_settings(None)

    (demo,) = file.providers
    assert all(path.is_file() for path in demo.files)
    assert file.service.data_dir == REPOSITORY / ".marquee"
    same = {"providers": (), "service": file.service.model_copy(update={"data_dir": defaults.service.data_dir})}
    assert file.model_copy(update=same) == defaults


def test_a_file_names_only_what_differs(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, service={"port": 9000}, providers=[{**ACME, "gate": {"min_plans": 3}}])

    assert (settings.service.port, settings.service.host) == (9000, "127.0.0.1")
    gate = settings.providers[0].gate
    assert (gate.min_plans, gate.max_withdrawn_share, gate.max_changed_share) == (3, 0.3, 0.5)


def test_the_environment_overrides_single_keys_of_the_file(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MARQUEE__SERVICE__PORT", "8001")
    environment.setenv("MARQUEE__SEARCH__TIMEZONE", "Europe/Madrid")

    settings = settings_of(tmp_path, service={"port": 9000, "host": "::1"})

    assert (settings.service.port, settings.service.host) == (8001, "::1")
    assert str(settings.search.zone) == "Europe/Madrid"


def test_providers_may_come_from_the_environment_as_json(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MARQUEE__PROVIDERS", json.dumps([{**ACME, "name": "other"}]))

    assert [provider.name for provider in settings_of(tmp_path, providers=[ACME]).providers] == ["other"]


def test_relative_paths_of_a_file_are_relative_to_it(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        service={"data_dir": "data"},
        providers=[
            {"name": "files", "kind": "recorded", "files": ["feeds/1.xml", "/absolute/2.xml"]},
            {"name": "url", "url": "file://feeds/a.xml"},
            {"name": "absolute", "url": "file:///feeds/a.xml"},
        ],
    )

    assert settings.service.data_dir == tmp_path / "data"
    assert settings.providers[0].files == (tmp_path / "feeds" / "1.xml", Path("/absolute/2.xml"))
    assert settings.providers[1].url == (tmp_path / "feeds" / "a.xml").as_uri()
    assert settings.providers[2].url == "file:///feeds/a.xml"


def test_the_file_is_the_one_that_is_named_else_marquee_config_else_the_one_here_else_none(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    nothing = find_file(None)
    Path("config.yaml").touch()
    here = find_file(None)
    environment.setenv("MARQUEE_CONFIG", str(tmp_path / "b.yaml"))
    from_environment = find_file(None)
    named = find_file(tmp_path / "a.yaml")

    assert nothing is None
    assert here == Path("config.yaml")
    assert from_environment == tmp_path / "b.yaml"
    assert named == tmp_path / "a.yaml"


@pytest.mark.parametrize(
    ("section", "values", "line"),
    [
        ("service", {"port": "many"}, "service.port: Input should be a valid integer"),
        ("service", {"port": 70000}, "service.port: Input should be less than or equal to 65535 (found 70000)"),
        ("service", {"workers": 0}, "service.workers: Input should be greater than or equal to 1 (found 0)"),
        ("service", {"prot": 8000}, "service.prot: no such key"),
        ("service", {"header_timeout": 0}, "service.header_timeout: Input should be greater than 0 (found 0)"),
        ("security", {"anonymous": "all"}, "security.anonymous: expected auto, or a list of catalog, dashboard, docs"),
        ("security", {"anonymous": [{}]}, "security.anonymous: expected auto, or a list of catalog, dashboard"),
        ("security", {"anonymous": ["serch"]}, "security.anonymous: expected auto, or a list of catalog, dashboard"),
        ("security", {"anonymous": ["admin"]}, "security.anonymous: expected auto, or a list of catalog, dashboard"),
        ("security", {"trusted_proxies": ["10.0.0.1/8"]}, "security.trusted_proxies[0]: expected an address or a"),
        ("security", {"cors_origins": ["app.example"]}, "security.cors_origins[0]: 'app.example' is no origin"),
        ("security", {"hosts": ["http://m.example"]}, "security.hosts[0]: 'http://m.example' is no name of a host"),
        ("security", {"hosts": ["m.example:80"]}, "security.hosts[0]: 'm.example:80' is no name of a host; expected"),
        ("security", {"hosts": ["*"]}, "security.hosts[0]: '*' is no name of a host; expected one such as marquee."),
        ("security", {"jwt": {"issuer": "x", "audience": "y"}}, "security.jwt.jwks_url: Field required"),
        ("rate_limits", {"search": 5}, "rate_limits.search: expected auto, none, or {per_second: 50, burst: 100}"),
        ("rate_limits", {"reads": {"per_second": 0, "burst": 1}}, "rate_limits.reads.per_second: Input should be gr"),
        ("rate_limits", "none", "rate_limits: expected search, ingest, reads, changes beneath it, each auto, none, or"),
        ("service", [8000], "service: expected keys beneath it: host, port, workers, "),
        ("activity", {"types": "click"}, "activity.types: expected a list (found 'click')"),
        ("security", {"jwt": {**JWT, "algorithms": ["none"]}}, "security.jwt.algorithms[0]: Input should be 'RS256', "),
        ("security", {"jwt": {**JWT, "algorithms": []}}, "security.jwt.algorithms: expected a list that is not empty"),
        ("servcie", {"port": 8000}, "servcie: no such key"),
        (
            "search",
            {"timezone": "Europe/Madird"},
            "search.timezone: 'Europe/Madird' is no IANA time zone; expected one",
        ),
        ("search", {"timezone": "../../etc/passwd"}, "search.timezone: '../../etc/passwd' is no IANA time zone"),
        ("redis", {"url": "http://localhost"}, "redis.url: expected 'embedded' or a URL that begins with redis://"),
        ("redis", {"fsync": "never"}, "redis.fsync: Input should be 'always' or 'everysec' (found 'never')"),
        ("redis", {"timeout": 0}, "redis.timeout: Input should be greater than 0 (found 0)"),
        (
            "redis",
            {"replicas": 1},
            "redis: replicas: the embedded Redis has none; set 0, or name a server in redis.url",
        ),
        ("redis", {"url": "redis://h", "replicas": -1}, "redis.replicas: Input should be greater than or equal to 0"),
        ("catalog", {"lease": 0.5}, "catalog.lease: Input should be greater than or equal to 1"),
        ("logging", {"level": "loud"}, "logging.level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("providers", [ACME, ACME], "providers: two providers of one name: acme"),
        ("providers", [{**ACME, "name": "A b"}], "providers[0].name: "),
        ("providers", [{**ACME, "kind": "xml"}], "providers[0].kind: "),
        ("providers", [ACME, {"name": "b"}], "providers[1]: url: kind 'plan-list-xml' needs an http://, https:// or"),
        ("providers", [{**ACME, "url": "ftp://x"}], "providers[0]: url: kind 'plan-list-xml' needs an http://"),
        ("providers", [{"name": "b", "kind": "recorded"}], "providers[0]: files: kind 'recorded' needs at least one"),
        ("providers", [{**ACME, "timezone": "CEST"}], "providers[0].timezone: 'CEST' is no IANA time zone"),
        ("providers", [{**ACME, "interval": -1}], "providers[0].interval: Input should be greater than or equal to"),
        ("providers", [{**ACME, "gate": {"max_changed_share": 30}}], "providers[0].gate.max_changed_share: "),
        ("providers", [{**ACME, "limits": {"max_bytes": 1}}], "providers[0].limits.max_bytes: no such key"),
        ("providers", [{"url": "https://provider.example"}], "providers[0].name: Field required"),
        ("providers", {"acme": ACME}, "providers: "),
    ],
)
def test_a_mistake_is_told_in_one_line_that_names_the_key(
    tmp_path: Path, section: str, values: object, line: str
) -> None:
    (told,) = mistakes_in(tmp_path, **{section: values})

    assert told.startswith(line)


def test_all_mistakes_are_told_at_once(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MARQUEE__SERVCIE__PORT", "1")

    told = mistakes_in(tmp_path, service={"port": -1, "prot": 1}, providers=[{**ACME, "timezone": "X"}])

    assert sorted(line.partition(": ")[0] for line in told) == [
        "MARQUEE__SERVCIE__PORT",
        "providers[0].timezone",
        "service.port",
        "service.prot",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("service: {port: 1}\nservice: {port: 2}\n", "is not YAML: the key 'service' is given twice"),
        ("service:\n  port: 1\n  port: 2\n", "is not YAML: the key 'port' is given twice"),
        ("service: [\n", "is not YAML: "),
        ("service:\n\tport: 1\n", "is not YAML: "),
        ("- service\n", "expected sections such as 'service:', found list"),
        ("just words\n", "expected sections such as 'service:', found str"),
        ("service: !!python/object/apply:os.getcwd []\n", "is not YAML: could not determine a constructor"),
        ("? [a, b]\n: 1\n", "is not YAML: "),
        ("{? {a: 1} : 2}\n", "is not YAML: "),
    ],
)
def test_what_is_no_settings_file_at_all_is_told_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    (told,) = mistakes(a_file(tmp_path, text))

    assert told.startswith(line)


def test_a_file_that_is_not_text_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(b"service: \xff\xfe\n")

    (told,) = mistakes(file)

    assert told.startswith("is not YAML: ")


def test_a_file_that_is_missing_or_a_directory_is_told_in_one_line(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "missing.yaml") == ["cannot be read: No such file or directory"]
    assert mistakes(tmp_path) == ["cannot be read: Is a directory"]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("MARQUEE__SERVCIE__PORT", "1", "MARQUEE__SERVCIE__PORT: no such section; expected one of service, redis"),
        ("MARQUEE__SERVICE__PROT", "1", "MARQUEE__SERVICE__PROT: no such key"),
        ("MARQUEE__SERVICE__PORT", "many", "MARQUEE__SERVICE__PORT: Input should be a valid integer"),
        ("MARQUEE__SERVICE", '{"port": -1}', "MARQUEE__SERVICE: service.port: Input should be greater than or equal"),
        ("MARQUEE__PROVIDERS", "[{", "MARQUEE__PROVIDERS: expected JSON for a list or a section ("),
        ("MARQUEE__PROVIDERS", "[{}]", "MARQUEE__PROVIDERS: providers[0].name: Field required"),
        ("MARQUEE__SECURITY__CORS_ORIGINS", "*", "MARQUEE__SECURITY__CORS_ORIGINS: expected JSON for a list or a sect"),
        ("MARQUEE__RATE_LIMITS__SEARCH__BURST", "1", "MARQUEE__RATE_LIMITS__SEARCH__BURST: rate_limits.search.per_sec"),
    ],
)
def test_a_mistake_in_the_environment_is_told_in_one_line_that_names_it(
    tmp_path: Path, environment: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    environment.setenv(name, value)

    (of_no_file,) = mistakes(None)
    (beside_a_file,) = mistakes(a_file(tmp_path, json.dumps({"service": {"port": 9000}, "providers": [ACME]})))

    assert of_no_file.startswith(line)
    assert beside_a_file == of_no_file


def test_a_mistake_of_the_file_is_not_blamed_on_a_variable_of_the_same_section(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("MARQUEE__SERVICE", '{"port": 8001}')
    environment.setenv("MARQUEE__SECURITY__JWT__ISSUER", "https://issuer.example")

    told = mistakes_in(tmp_path, service={"prot": 8000}, security={"jwt": {"audience": "marquee"}})

    assert told == ["service.prot: no such key", "security.jwt.jwks_url: Field required"]


def test_a_variable_in_small_letters_counts_and_is_named_as_it_is_written(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("marquee__service__port", "8001")

    assert load_settings(None).service.port == 8001

    environment.setenv("marquee__service__port", "many")
    with pytest.raises(ConfigurationError, match=r"^marquee__service__port: Input should be a valid integer"):
        load_settings(None)


def test_what_was_found_is_said_once(tmp_path: Path) -> None:
    told = mistakes_in(tmp_path, security={"trusted_proxies": ["foo"], "cors_origins": ["app.example"]})

    assert len(told) == 2
    assert [line.count("foo") + line.count("app.example'") for line in told] == [1, 1]


@pytest.mark.parametrize(
    "sections",
    [
        {"redis": {"url": "http://me:s3cret@localhost"}},
        {"redis": {"url": "s3cret"}},
        {"redis": {"url": ["s3cret"]}},
        {"providers": [{**ACME, "url": "ftp://me:s3cret@provider.example"}]},
        {"providers": [{**ACME, "url": 5, "timezone": "X"}, {**ACME, "url": ["https://me:s3cret@provider.example"]}]},
        {"providers": [{**ACME, "url": "https://me:s3cret@provider.example", "interval": -1}]},
        {"providers": [{**ACME, "url": "https://me:s3cret@provider.example"}] * 2},
        {"providers": [{**ACME, "options": "s3cret"}]},
    ],
)
def test_no_password_is_repeated(tmp_path: Path, sections: dict[str, object]) -> None:
    assert "s3cret" not in "\n".join(mistakes_in(tmp_path, **sections))


@pytest.mark.parametrize(
    "text", ['redis: {url: "redis://me:s3cret@localhost', "redis:\n  url: redis://me:s3cret@x\n bad"]
)
def test_no_password_is_repeated_out_of_what_cannot_be_read(tmp_path: Path, text: str) -> None:
    (told,) = mistakes(a_file(tmp_path, text))

    assert told.startswith("is not YAML: ")
    assert "s3cret" not in told


def test_no_password_is_repeated_out_of_json_that_cannot_be_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MARQUEE__REDIS", '{"url": "redis://me:s3cret@localhost')

    (told,) = mistakes(None)

    assert told.startswith("MARQUEE__REDIS: expected JSON")
    assert "s3cret" not in told


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)

    with pytest.raises(ValueError, match="frozen"):
        settings.service.port = 1  # type: ignore[misc] # what the test is about


@pytest.mark.parametrize(
    "url",
    ["http://h:999999/", "http://h:abc/", "http:///x", "http://xn--.x/", "http://u:S3CRET@[bad/", "ftp://u:S3CRET@h"],
)
def test_a_url_that_cannot_be_stops_the_start_with_one_line(tmp_path: Path, url: str):
    file = tmp_path / "config.yaml"
    file.write_text(f'providers: [{{name: bad, url: "{url}"}}]')

    with pytest.raises(ConfigurationError) as caught:
        check_providers(load_settings(file))

    assert len(caught.value.mistakes) == 1
    assert "S3CRET" not in str(caught.value)


def test_a_url_in_the_wrong_place_is_not_repeated(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text('redis: redis://u:S3CRET@h\nproviders: ["http://u:S3CRET@h/"]')

    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)

    assert "S3CRET" not in str(caught.value)


def test_a_name_given_twice_is_told_beside_other_mistakes(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text('sevice: {port: 1}\nproviders: [{name: a, url: "http://x/"}, {name: a, url: "http://y/"}]')

    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)

    assert len(caught.value.mistakes) == 2
