"""What a configuration serves, and what a change of it changes: for the one line at a start, and the one at a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langop_model.contract import section, settings
from langop_model.contract.fingerprint import fingerprint

SHOWN = 20  # models by name, and changes; of more the number is said


def of(config: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the members of the line that says what is served."""
    every = section.groups(config["callback_settings"][settings.SECTION])
    groups = [group for group in every.values() if not group.internal]
    names = sorted(group.name for group in groups)
    return {
        "models": names[:SHOWN] if len(names) <= SHOWN else [*names[:SHOWN], f"and {len(names) - SHOWN} more"],
        "endpoints": sum(len(group.endpoints) for group in groups),
        "limits": {group.name: limits for group in groups[:SHOWN] if (limits := _limits(group.limits))},
        "configuration": fingerprint(text),
    }


def changes(before: str, after: str) -> tuple[str, ...]:
    """Return what a change changes in behaviour, in the words of `diff`, the gravest first."""
    import yaml

    from langop_model.renderer import behaviour

    found = behaviour.sentences(yaml.safe_load(before), yaml.safe_load(after)) or ["nothing that clients notice"]
    return tuple(found if len(found) <= SHOWN else [*found[:SHOWN], f"and {len(found) - SHOWN} more"])


def _limits(limits: settings.Limits) -> dict[str, int]:
    named = {
        "requestsPerMinute": limits.requests_per_minute,
        "tokensPerMinute": limits.tokens_per_minute,
        "concurrentRequests": limits.concurrent_requests,
    }
    return {name: value for name, value in named.items() if value}
