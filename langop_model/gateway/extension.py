"""What the configuration names in `litellm_settings.callbacks`: importing this module makes LiteLLM follow `callback_settings.langop`.

LiteLLM imports its callbacks before it builds its Router, so the Router that it builds is ours.
"""

from __future__ import annotations

import os

import litellm

from langop_model.gateway import cache, router, settings
from langop_model.gateway.request_log import RequestLog

_section = litellm.callback_settings.get(settings.SECTION) or {"models": {}}
_groups = settings.groups(_section)

router.install()
cache.install(_section.get("cache_megabytes"))  # the configuration has its cache before its callbacks
callback = RequestLog({name: group.log for name, group in _groups.items()}, os.environ.get("LITELLM_LOG", "INFO"))
