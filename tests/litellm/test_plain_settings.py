"""LiteLLM's general settings become a plain dictionary with the same values."""

from __future__ import annotations

from typing import Any

import pytest
from litellm.proxy import proxy_server
from litellm.proxy.config_resolvers import SettingsStore

from langop_model.gateway.internals import plain_settings

SETTINGS: dict[str, Any] = {"cancel_on_disconnect": True, "custom_auth": "a.function"}


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    store = SettingsStore("general_settings")
    store.apply_runtime_values(SETTINGS)
    monkeypatch.setattr(proxy_server, "general_settings", store)


def test_litellm_keeps_them_where_they_are_replaced():
    assert isinstance(proxy_server.ProxyConfig().settings, SettingsStore)


def test_the_settings_are_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(proxy_server, "prisma_client", None)
    plain_settings.install()
    assert type(proxy_server.general_settings) is dict
    assert proxy_server.general_settings == SETTINGS


def test_with_a_database_they_stay_litellms(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(proxy_server, "prisma_client", object())
    plain_settings.install()
    assert isinstance(proxy_server.general_settings, SettingsStore)
