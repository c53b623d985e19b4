"""Settings come from DANVAN_* and a wrong one is told in a sentence."""

from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, load_settings


def test_the_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DANVAN_{name.upper()}", raising=False)

    settings = load_settings()

    assert settings.database_url == "sqlite:///data/danvan.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_READ_TIMEOUT_S", "2.5")
    monkeypatch.setenv("DANVAN_MAX_BATCH", "7")

    limits = load_settings().limits()

    assert (limits.reading.timeout_s, limits.max_batch) == (2.5, 7)


def test_a_file_stands_in_for_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "danvan_database_url").write_text("sqlite:///secret.db\n")
    (tmp_path / "danvan_port").write_text("1")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("DANVAN_DATABASE_URL", raising=False)
    monkeypatch.setenv("DANVAN_PORT", "2")

    settings = load_settings()

    assert (settings.database_url, settings.port) == ("sqlite:///secret.db", 2)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "http", "valid integer"),
        ("PORT", "70000", "65535"),
        ("MAX_BATCH", "0", "greater than or equal to 1"),
        ("TAXONOMY", "../secret", "match pattern"),
        ("ACCESS", "everybody", "'auto', 'keys' or 'open'"),
        ("RATE_LIMIT", "often", "match pattern"),
        ("SIGN_IN_LIMIT", "0/minute", "match pattern"),
        ("SESSION_HOURS", "0", "greater than 0"),
        ("CORS_ORIGINS", "*", "not a list of origins"),
        ("CORS_ORIGINS", "https://a.example/", "not a list of origins"),
        ("OIDC_ISSUER", "http://sso.example", "by https"),
        ("OIDC_ISSUER", "http://127.0.0.1.evil.example", "by https"),
        ("DATABASE_URL", "nowhere", "not a database address"),
        ("DATABASE_URL", "sqlite://", "names no file"),
        ("DATABASE_URL", "mysql://root:bimat@host/db", "only sqlite and postgresql"),
    ],
)
def test_a_wrong_value_is_named_but_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(f"DANVAN_{name}", value)

    with pytest.raises(SettingsError, match=reason) as caught:
        load_settings()

    message = str(caught.value)
    assert message.startswith(f"DANVAN_{name}: ")
    assert "\n" not in message
    assert "bimat" not in message


def test_origins_are_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_CORS_ORIGINS", "https://a.example, http://b.example:81,")

    assert load_settings().cors_origins == ("https://a.example", "http://b.example:81")


def test_half_an_identity_provider_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_OIDC_ISSUER", "https://sso.example")
    monkeypatch.setenv("DANVAN_OIDC_CLIENT_SECRET", "bimat")

    with pytest.raises(SettingsError, match="go together") as caught:
        load_settings()

    assert "bimat" not in str(caught.value)


def test_the_secret_of_the_identity_provider_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DANVAN_OIDC_ISSUER", "https://sso.example")
    monkeypatch.setenv("DANVAN_OIDC_CLIENT_ID", "danvan")
    monkeypatch.setenv("DANVAN_OIDC_CLIENT_SECRET", "bimat")

    settings = load_settings()

    provider = settings.provider()
    assert provider is not None
    assert provider.client_secret == "bimat"  # noqa: S105
    assert "bimat" not in repr(settings) + repr(provider)
