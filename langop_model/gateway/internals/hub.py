"""No look-up at huggingface.co of how long a model's answers may be.

LiteLLM makes one in its event loop after an answer of some providers: where egress is closed, every request waits for it. The
one place that touches it: litellm/utils.py, whose only use of the figure is to fill in a model's description.
"""

from __future__ import annotations

from litellm import utils


def install() -> None:
    """Answer the look-up with what LiteLLM takes for not known."""
    utils._get_max_position_embeddings = _unknown


def _unknown(model_name: str) -> None:  # noqa: ARG001 - LiteLLM's name
    return None
