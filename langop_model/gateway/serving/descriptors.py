"""The descriptors of a process: how many it gets, and how many of them are for connections of clients."""

from __future__ import annotations

import resource

MAX_CONNECTIONS = 4096  # of a worker
FOR_PROBES = 32  # connections above it, on which only probes are answered
OTHER_DESCRIPTORS = 64  # that are neither a client's nor a provider's: files, the event loop, redis, the translator
MAX_DESCRIPTORS = 65_536  # what a process asks for; the kernel's limit for containers is often a million


def raise_descriptor_limit() -> None:
    """Let this process and its children have as many descriptors as the container may have, up to MAX_DESCRIPTORS."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Return how many connections of clients a worker may have with the descriptors that it has."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(1, min(MAX_CONNECTIONS, (soft - OTHER_DESCRIPTORS - FOR_PROBES) // 2))
