"""LiteLLM and redis: its variables say where redis is, and nothing but cached answers goes there.

This module is the one place that touches LiteLLM's handling of redis beside its cache.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import litellm
from litellm import _redis

from langop_model.gateway.limits.redis_connection import ANSWER_TIMEOUT, RedisConnection

log = logging.getLogger("langop.redis")


def connect() -> RedisConnection | None:
    """Return a connection to the redis of REDIS_HOST or REDIS_URL; None where neither is set.

    LiteLLM reads the variables, as it does for its cache: REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_SSL, REDIS_DB...
    What can't be read of them is said, without their values, and counts as no redis.
    """
    if not (os.environ.get("REDIS_HOST") or os.environ.get("REDIS_URL")):
        return None
    try:
        # Not REDIS_SOCKET_TIMEOUT, which is for the cache: RedisConnection itself knows how long it waits.
        client = _redis.get_redis_async_client(
            decode_responses=True, socket_timeout=None, socket_connect_timeout=ANSWER_TIMEOUT
        )
    except (ValueError, TypeError, ImportError) as problem:
        kind = type(problem).__name__  # its text may hold a part of REDIS_URL, and so of the password
        log.error(
            "the variables REDIS_... can't be read (%s): each process keeps limits and cooldowns by itself. "
            "REDIS_URL is redis://USER:PASSWORD@HOST:PORT/DATABASE, with rediss:// for TLS; REDIS_PORT is a number",
            kind,
        )
        return None
    return RedisConnection(client)


def install() -> None:
    """Keep LiteLLM from counting in redis for itself.

    Wherever REDIS_HOST is set, with a cache or without, LiteLLM takes that redis for its own rate limits, spend and sessions:
    under keys that hold no name of the gateway, so that two gateways would count together, and that hold the caller's key as
    it is. None of it does anything here: a LanguageModel's limits are langop_model.gateway's.
    """
    proxy: Any = sys.modules.get("litellm.proxy.proxy_server")
    if proxy is None:  # LiteLLM is used as a library
        return
    proxy._build_redis_usage_cache_from_environment = lambda: None
    cache = litellm.cache
    if cache is not None and proxy.redis_usage_cache is cache.cache:  # borrowed from the cache; nobody asked for it
        proxy._set_redis_usage_cache(None)
        for dual in (proxy.spend_counter_cache, proxy.cli_sso_session_cache):
            dual.redis_cache = None
        proxy.litellm_config_cache.redis_cache = None
