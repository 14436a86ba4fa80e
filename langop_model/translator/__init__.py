"""LiteLLM's SDK behind a unix socket: a process of its own, started by the gateway, and the only code that imports litellm.

It decides nothing: a call says which deployment is asked, with which body, and gets one answer, or one failure.
"""
