"""What is changed in LiteLLM beside its Router, and what is read of it: one module for each place."""
