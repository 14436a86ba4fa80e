"""Modules that only closed routes need: imported when somebody uses them, which nobody does.

LiteLLM's proxy imports the modules of all its routes when it starts; lean.py keeps the routes from being made. While the proxy
is imported, a module of MODULES is only promised: its names are bound to promises, and a promise that is used imports the
module. So a wrong entry costs time and breaks nothing. tests/litellm shows that neither the import nor the start nor a request
uses one, and that nothing but functions, types and routers is promised.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any, Union

MODULES = (
    # MCP servers and their tools: 0.32 s
    "litellm.experimental_mcp_client.client",
    "litellm.experimental_mcp_client.tools",
    "litellm.proxy._experimental.mcp_server.catalog",
    "litellm.proxy._experimental.mcp_server.oauth_utils",
    "litellm.proxy._experimental.mcp_server.outbound_credentials.bridge_credentials",
    "litellm.proxy._experimental.mcp_server.outbound_credentials.envelope",
    "litellm.proxy._experimental.mcp_server.outbound_credentials.httpx_auth",
    "litellm.proxy._experimental.mcp_server.outbound_credentials.resolver",
    "litellm.proxy._experimental.mcp_server.outbound_credentials.session_credentials",
    "litellm.proxy._experimental.mcp_server.result_conversion",
    "litellm.proxy._experimental.mcp_server.ui_session_utils",
    "litellm.proxy.hooks.mcp_semantic_filter.hook",
    # Keys, teams, users, models and settings of an administrator: 0.15 s
    "litellm.proxy.management_endpoints.auto_router_endpoints",
    "litellm.proxy.management_endpoints.budget_management_endpoints",
    "litellm.proxy.management_endpoints.cache_settings_endpoints",
    "litellm.proxy.management_endpoints.callback_management_endpoints",
    "litellm.proxy.management_endpoints.cost_tracking_settings",
    "litellm.proxy.management_endpoints.customer_endpoints",
    "litellm.proxy.management_endpoints.daily_activity_routes",
    "litellm.proxy.management_endpoints.fallback_management_endpoints",
    "litellm.proxy.management_endpoints.gateway_request_endpoints",
    "litellm.proxy.management_endpoints.internal_user_endpoints",
    "litellm.proxy.management_endpoints.key_management_endpoints",
    "litellm.proxy.management_endpoints.management_v1.budgets",
    "litellm.proxy.management_endpoints.management_v1.spend_logs",
    "litellm.proxy.management_endpoints.management_v1.teams",
    "litellm.proxy.management_endpoints.management_v1.users",
    "litellm.proxy.management_endpoints.model_access_group_management_endpoints",
    "litellm.proxy.management_endpoints.model_management_endpoints",
    "litellm.proxy.management_endpoints.organization_endpoints",
    "litellm.proxy.management_endpoints.password_endpoints",
    "litellm.proxy.management_endpoints.prompt_caching_requests",
    "litellm.proxy.management_endpoints.router_settings_endpoints",
    "litellm.proxy.management_endpoints.session_endpoints",
    "litellm.proxy.management_endpoints.tag_management_endpoints",
    "litellm.proxy.management_endpoints.team_callback_endpoints",
    "litellm.proxy.management_endpoints.team_endpoints",
    "litellm.proxy.management_endpoints.ui_sso",
    "litellm.proxy.management_endpoints.user_agent_analytics_endpoints",
    "litellm.proxy.management_endpoints.workflow_management_endpoints",
    "litellm.proxy.management_helpers.auto_router_availability",
    "litellm.proxy.management_helpers.key_settings_audit",
    "litellm.proxy.management_helpers.utils",
    # What OpenAI's client offers beside what is open: 0.18 s
    "openai.resources.admin",
    "openai.resources.batches",
    "openai.resources.beta",
    "openai.resources.containers",
    "openai.resources.evals",
    "openai.resources.fine_tuning",
    "openai.resources.skills",
    "openai.resources.uploads",
    "openai.resources.vector_stores",
    "openai.resources.videos",
    # Sounds, with numpy, for a closed route of Amazon's: 0.04 s
    "soundfile",
    # The command line of httpx, with rich and pygments: 0.04 s
    "httpx._main",
    # Everything else: 0.12 s
    "litellm.proxy.analytics_endpoints.analytics_endpoints",
    "litellm.proxy.batches_endpoints.endpoints",
    "litellm.proxy.batches_endpoints.litellm_executed_batches",
    "litellm.proxy.caching_routes",
    "litellm.proxy.container_endpoints.endpoints",
    "litellm.proxy.credential_endpoints.endpoints",
    "litellm.proxy.discovery_endpoints.agent_skills_endpoints",
    "litellm.proxy.discovery_endpoints.ui_discovery_endpoints",
    "litellm.proxy.google_endpoints.endpoints",
    "litellm.proxy.lens.dataset_endpoints",
    "litellm.proxy.lens.endpoints",
    "litellm.proxy.lens.feedback_endpoints",
    "litellm.proxy.lens.repository",
    "litellm.proxy.lens.signal_repository",
    "litellm.proxy.lens.sources",
    "litellm.proxy.logging_endpoints.callback_logs_endpoints",
    "litellm.proxy.memory.memory_endpoints",
    "litellm.proxy.moyai_endpoints",
    "litellm.proxy.ocr_endpoints.endpoints",
    "litellm.proxy.public_endpoints.public_endpoints",
    "litellm.proxy.public_endpoints.public_v1.model_hub",
    "litellm.proxy.rag_endpoints.endpoints",
    "litellm.proxy.search_endpoints.endpoints",
    "litellm.proxy.search_endpoints.search_tool_registry",
    "litellm.proxy.spend_tracking.spend_management_endpoints",
    "litellm.proxy.ui_crud_endpoints.latest_release_endpoints",
    "litellm.proxy.ui_crud_endpoints.user_banner_endpoints",
    "litellm.proxy.video_endpoints.endpoints",
    "litellm.types.interactions.generated",
)

bound: dict[str, set[str]] = {}  # the modules that somebody imported while they were promised, and the names that he took
kept: set[str] = set()  # the promises that were used, as module:name


class Promise:
    """A function, a class or an object of a module that is not imported yet; whatever is asked of it imports the module."""

    def __init__(self, get: Callable[[], Any]) -> None:
        self._get = get

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Call what was promised; while LiteLLM is imported, as the decorator of a function, promise the decorated one."""
        if _finders and arguments and not settings and all(isinstance(each, (FunctionType, Promise)) for each in arguments):
            return _Decorated(lambda: self._get()(*arguments))
        return self._get()(*arguments, **settings)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute. Python's own say what kind of thing this is, and are not handed on."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._get(), name)

    def __mro_entries__(self, _: Any) -> tuple[Any, ...]:
        """Be the promised class where one is derived from it."""
        return (self._get(),)

    def __instancecheck__(self, thing: Any) -> bool:
        """Say whether `thing` is an instance of the promised class."""
        return isinstance(thing, self._get())

    def __get_pydantic_core_schema__(self, _: Any, handler: Any) -> Any:
        """Be the promised class where it is the type of a model's field."""
        return handler.generate_schema(self._get())

    def __or__(self, other: Any) -> Any:
        """Be part of an annotation."""
        return Union[self, other]  # noqa: UP007 - `|` would come back here

    def __ror__(self, other: Any) -> Any:
        """Be part of an annotation."""
        return Union[other, self]  # noqa: UP007 - the same

    def __bool__(self) -> bool:
        """Be as true as what was promised."""
        return bool(self._get())

    def __getitem__(self, key: Any) -> Any:
        """Return an item, or the parametrized class."""
        return self._get()[key]

    @property
    def __signature__(self) -> Any:
        """What FastAPI asks of an open route's dependency."""
        return inspect.signature(self._get())


class _Decorated(Promise):
    """A function whose decorator is only promised; in a class, a method."""

    def __get__(self, thing: Any, _: Any = None) -> Any:
        """Be bound like a function."""
        return self if thing is None else partial(self, thing)


class _Finder(MetaPathFinder, Loader):
    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = frozenset(modules)
        self.promised: dict[str, ModuleType] = {}

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Take the modules of the list, and nothing below them."""
        return ModuleSpec(name, self) if name in self.modules else None

    def exec_module(self, module: ModuleType) -> None:
        """Promise whatever is asked for."""
        self.promised[module.__name__] = module
        names = bound.setdefault(module.__name__, set())

        def promise(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            made = _promise(module.__name__, name)
            names.add(name)
            setattr(module, name, made)
            return made

        module.__getattr__ = promise  # type: ignore[method-assign]

    def forget(self, names: Sequence[str]) -> None:
        """Let the next import of these modules be a real one."""
        self.modules -= set(names)
        for name in names:
            promised = self.promised.pop(name, None)
            package, _, child = name.rpartition(".")
            if promised is not None and sys.modules.get(name) is promised:
                del sys.modules[name]
                if getattr(sys.modules.get(package), child, None) is promised:
                    delattr(sys.modules[package], child)


_finders: list[_Finder] = []


@contextlib.contextmanager
def promised(modules: Sequence[str] = MODULES) -> Iterator[None]:
    """Promise `modules` to everybody who imports them now. Who imports one afterwards gets it."""
    finder = _Finder(modules)
    _finders.append(finder)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _finders.remove(finder)
        finder.forget(list(finder.promised))


def _promise(module: str, name: str) -> Any:
    if name.isupper() or name.endswith(("Error", "Exception")):  # a value; and `except` takes nothing but a class
        return _real(module, name)
    if name == "router" or name.endswith("_router"):
        from fastapi import APIRouter

        return APIRouter()
    return Promise(lambda: _real(module, name))


def _real(module: str, name: str) -> Any:
    kept.add(f"{module}:{name}")
    for finder in _finders:
        finder.forget([module])
    return getattr(importlib.import_module(module), name)
