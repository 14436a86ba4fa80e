"""What the configuration names in `litellm_settings.callbacks`: its import makes LiteLLM follow `callback_settings.langop`.

LiteLLM imports its callbacks before it builds its Router, so the Router that it builds is ours.
"""

from __future__ import annotations

import logging
import os

import litellm

from langop_model.contract import settings
from langop_model.gateway import request_log
from langop_model.gateway.internals import cache, executor, hub, litellm_mcp, litellm_redis, prices, repeated, upstream_bodies
from langop_model.gateway.request_log import RequestLog
from langop_model.gateway.routing import router

_section = litellm.callback_settings.get(settings.SECTION) or {"models": {}}

_level = os.environ.get("LITELLM_LOG", "INFO")

router.install()
prices.install()
upstream_bodies.install()
hub.install()
repeated.install()
executor.install()
litellm_redis.install()
litellm_mcp.install()
cache.install(_section.get("cache_megabytes"))  # the configuration has its cache before its callbacks
if os.environ.get("JSON_LOGS") == "true":
    litellm._turn_on_json()  # what other libraries log, and langop.health, becomes a JSON line too
logging.getLogger("langop").setLevel(_level)
logging.getLogger("uvicorn.access").disabled = True  # the request log says more, and a query string may hold a key
if _level == "DEBUG":  # LiteLLM's command line sets its loggers; below this level their lines say less than a request's own
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(_level)
logging.getLogger("opentelemetry.sdk.trace").setLevel(logging.ERROR)  # LiteLLM ends the spans of a failed request twice
callback = request_log.install(RequestLog(settings.groups(_section).values(), _level))
