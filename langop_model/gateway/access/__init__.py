"""Open routes, authentication, and which bodies pass."""
