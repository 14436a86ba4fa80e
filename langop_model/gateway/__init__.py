"""What runs in LiteLLM's process. It knows nothing of templates: the configuration says what it needs."""
