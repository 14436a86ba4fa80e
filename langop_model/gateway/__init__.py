"""The gateway: workers that answer clients, and their supervisor. It knows nothing of templates and never imports LiteLLM."""
