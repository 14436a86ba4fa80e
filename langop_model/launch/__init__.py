"""From what is mounted to a running gateway: reading specifications and keys, noticing changes, starting what serves them."""
