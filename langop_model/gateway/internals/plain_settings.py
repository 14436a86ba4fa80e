"""LiteLLM's general settings as a plain dictionary.

At each look at a setting, 20 times in a request, LiteLLM works out whether the configuration, a database or an administrator
has the say: a fiftieth of a request's CPU. Without a database the configuration has it.
The one place that replaces them; tests/litellm/test_plain_settings.py fails when a new LiteLLM keeps them elsewhere.
"""

from __future__ import annotations

from langop_model.gateway.internals import litellm_proxy


def install() -> None:
    """Replace them, unless there is a database."""
    if not litellm_proxy.has_database():
        from litellm.proxy import proxy_server

        proxy_server.general_settings = dict(proxy_server.general_settings)
