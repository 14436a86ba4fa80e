"""How a provider is asked: by relaying a request in the provider's own protocol, or through the translator."""
