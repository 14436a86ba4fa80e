"""A stand-in for LLM providers, on loopback: it speaks their protocols, needs no key, and fails on command.

`python -m tools.stand_in --port 9000` runs it; tests use `StandIn`.
"""

from tools.stand_in.behaviour import Behaviour
from tools.stand_in.recording import Seen
from tools.stand_in.server import StandIn

__all__ = ["Behaviour", "Seen", "StandIn"]
