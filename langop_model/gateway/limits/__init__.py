"""Limits of a model: who may call now, and who waits; in one process, or in a redis that several share."""
