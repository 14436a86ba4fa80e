"""LiteLLM and MCP: at each request it asks the manager of its MCP servers which headers hold credentials of theirs.

This module is the one place that touches that: where no server was configured, there is no manager to ask.
"""

from __future__ import annotations

import sys

from litellm.proxy._experimental.mcp_server import utils

MANAGER = "litellm.proxy._experimental.mcp_server.mcp_server_manager"

_ask_the_manager = utils._forwarded_upstream_header_names


def _forwarded_headers() -> frozenset[str]:
    """A configuration with MCP servers has imported their manager; its import takes 0.4 seconds of the first request."""
    return _ask_the_manager() if MANAGER in sys.modules else frozenset()


def install() -> None:
    """Make LiteLLM ask no manager that is not there."""
    utils._forwarded_upstream_header_names = _forwarded_headers
