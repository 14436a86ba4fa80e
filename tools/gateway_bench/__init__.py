"""`make bench-gateway`: the gateway beside a plain LiteLLM, a bare relay, and other proxies, in one run."""
