"""What the configuration names in `litellm_settings.callbacks`: importing this module makes LiteLLM follow `callback_settings.langop`.

LiteLLM imports callbacks before it builds its Router, so the Router that it builds is ours.
"""

from __future__ import annotations

from litellm.integrations.custom_logger import CustomLogger

from langop_model.gateway import router

router.install()


class Extension(CustomLogger):
    """A callback that LiteLLM can register."""


callback = Extension()
