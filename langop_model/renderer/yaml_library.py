"""PyYAML, imported as `imports` says."""

from __future__ import annotations

from langop_model.renderer.imports import less_work

with less_work():
    import yaml

__all__ = ["yaml"]
