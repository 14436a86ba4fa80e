"""What the renderer writes for the gateway: the section `callback_settings.langop` of a configuration, as types.

Both halves import this package, and it imports neither. LiteLLM keeps `callback_settings` for its callbacks and reads no
other name in it, so a stock LiteLLM loads the same file.
"""
