"""A stand-in for LLM providers, on loopback: it speaks their protocols, needs no key, and fails on command.

`python -m stand_in --port 9000` runs it; tests use `StandIn`.
"""

from stand_in.behaviour import Behaviour
from stand_in.recording import Seen
from stand_in.server import StandIn

__all__ = ["Behaviour", "Seen", "StandIn"]
