"""Exchanges of a credential for a token: not the model's own service, so they never fail when the model does."""

from __future__ import annotations

from stand_in.answer import Answer, as_json

TOKEN = "stand-in-token"
LIFETIME = 3599  # seconds

# Google, IBM Cloud, Databricks, GigaChat, SAP: what each exchange's path ends in.
ENDINGS = ("/token", "/identity/token", "/oidc/v1/token", "/api/v2/oauth", "/oauth/token")


def exchanges(path: str) -> bool:
    """Tell whether a request is for a token."""
    return path.endswith(ENDINGS)


def token() -> Answer:
    """Answer an exchange. No credential is checked."""
    milliseconds = 4102444800000  # the year 2100, as GigaChat says it
    answer = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": LIFETIME, "expires_at": milliseconds}
    return as_json(answer)
