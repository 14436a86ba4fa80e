"""No credential in the body of a request: some of LiteLLM's providers write all their parameters into it.

The one place that touches LiteLLM's provider classes; tests/wire shows that the bodies are clean.
"""

from __future__ import annotations

import functools
from typing import Any

from litellm.llms.sagemaker.chat.transformation import SagemakerChatConfig
from litellm.llms.sagemaker.nova.transformation import SagemakerNovaConfig

CREDENTIALS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


def install() -> None:
    """Keep AWS keys out of what SageMaker's configurations send (litellm/llms/sagemaker/chat/transformation.py)."""
    for config in (SagemakerChatConfig, SagemakerNovaConfig):
        _clean(config)


def _clean(config: Any) -> None:
    transform = config.transform_request
    if hasattr(transform, "__wrapped__"):
        return

    @functools.wraps(transform)
    def transform_without_credentials(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        body = transform(self, *args, **kwargs)
        return {name: value for name, value in body.items() if name not in CREDENTIALS}

    config.transform_request = transform_without_credentials
