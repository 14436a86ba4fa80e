"""One request's way to an endpoint: which one, again when, and where else."""
