"""langop/model: renders a LanguageModel into a LiteLLM configuration, and serves that configuration.

`renderer` is pure (no clock, no socket, no LiteLLM), `gateway` serves what it wrote, `translator` calls LiteLLM's SDK in its
own process, and `contract` is what they agree on. `cli` is a table of `commands`.
"""

__version__ = "0.2.0"
