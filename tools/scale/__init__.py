"""What many replicas need: costs of a request that are measured here, and a simulation of what can't be run here."""
