"""langop/model: renders a LanguageModel into a LiteLLM configuration, and runs LiteLLM with it.

Two rooms that do not know each other's inside: `renderer` (pure: no clock, no socket, no LiteLLM) and `gateway`
(what runs in LiteLLM's process). `cli` is the door to both: a table of `commands`.
"""

__version__ = "0.2.0"
