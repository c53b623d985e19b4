"""Settings come from DANVAN_* and a wrong one is told in a sentence."""

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


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "http", "valid integer"),
        ("PORT", "70000", "65535"),
        ("MAX_BATCH", "0", "greater than or equal to 1"),
        ("TAXONOMY", "../secret", "match pattern"),
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
