"""What is open, who may ask, and which bodies pass: in front of LiteLLM."""
