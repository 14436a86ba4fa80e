"""What the configuration names in `litellm_settings.callbacks`: importing this module makes LiteLLM follow `callback_settings.langop`.

LiteLLM imports its callbacks before it builds its Router, so the Router that it builds is ours.
"""

from __future__ import annotations

import os

import litellm

from langop_model.gateway import router, settings
from langop_model.gateway.request_log import RequestLog

router.install()

_section = litellm.callback_settings.get(settings.SECTION)
_groups = settings.groups(_section) if _section else {}
callback = RequestLog({name: group.log for name, group in _groups.items()}, os.environ.get("LITELLM_LOG", "INFO"))
