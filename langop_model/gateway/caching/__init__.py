"""Answers that are kept as spec.caching says: in memory, in redis or in memcached, each for equal requests only."""
