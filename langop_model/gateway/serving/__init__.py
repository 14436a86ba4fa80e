"""Starting, changing and stopping: LiteLLM is imported once, and forked into the workers that serve it."""
