"""How LiteLLM is set up: what it finds in its environment before the import, and its module's public settings after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from langop_model.contract import references

CALLBACK_LISTS = ("callbacks", "success_callback", "failure_callback")

# LiteLLM reads these when it is imported.
BEFORE_IMPORT = {
    "DEFAULT_MAX_RETRIES": "0",  # the argument alone is ignored by some routes
    "LITELLM_DONT_SHOW_FEEDBACK_BOX": "true",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",  # nothing is fetched at the start
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_MODE": "PRODUCTION",  # no .env file is read
    "HF_HUB_OFFLINE": "1",
    "MAX_IMAGE_URL_DOWNLOAD_SIZE_MB": "0",  # nothing that a message refers to is downloaded
}


def prepare_environment() -> None:
    """Set what LiteLLM reads at its import. Raises RuntimeError when it is imported already."""
    if "litellm" in sys.modules:
        raise RuntimeError("LiteLLM is imported already: its settings come too late")
    os.environ.update(BEFORE_IMPORT)


def apply(configured: Mapping[str, Any] | None = None) -> None:
    """Set LiteLLM's module up: no retries, no drops, no look-ups of its own, then what the configuration says."""
    import litellm

    settings: dict[str, Any] = {
        "num_retries": 0,
        "drop_params": False,  # the translator drops by itself and says so; LiteLLM would also ask again after a 422
        "modify_params": False,
        "suppress_debug_info": True,
        "disable_hf_tokenizer_download": True,
        "disable_token_counter": True,
        "user_url_validation": True,
        "turn_off_message_logging": False,
        "cache": None,
        "use_chat_completions_url_for_anthropic_messages": True,
    }
    # Lists of callbacks are added to, by callbacks.install.
    chosen = {name: value for name, value in (configured or {}).items() if name not in CALLBACK_LISTS}
    settings.update(references.resolved(chosen, lambda name: os.environ.get(name, "")))
    for name, value in settings.items():
        setattr(litellm, name, value)


def export(variables: Mapping[str, str]) -> None:
    """Give LiteLLM the keys of a call that it reads from the process only."""
    for name, value in variables.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
