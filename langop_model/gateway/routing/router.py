"""LiteLLM's Router with this project's limits, retries, fallbacks and choice of endpoints.

The one place that overrides LiteLLM: six methods of its Router, and the moment after its cache has missed.
tests/litellm/test_goldens_load.py fails when a new LiteLLM moves one of them.
"""

from __future__ import annotations

from typing import Any

import httpx
import litellm
from litellm.caching.caching_handler import LLMCachingHandler

from langop_model.contract import settings
from langop_model.gateway import metrics, scope
from langop_model.gateway.internals import litellm_redis
from langop_model.gateway.limits.admission import RateLimitTimeoutError
from langop_model.gateway.routing import backoff, call, causes, health, names
from langop_model.gateway.routing.call import Call, Served
from langop_model.gateway.routing.causes import Refused

Base: Any = litellm.Router


class GatewayRouter(Base):  # type: ignore[misc]
    """A Router whose groups in `callback_settings.langop` follow their LanguageModel; any other group is LiteLLM's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.built: dict[str, tuple[Any, Any]] = {}  # of an id: the entry of the model list, and what LiteLLM makes of it
        super().__init__(*args, **kwargs)
        section = litellm.callback_settings.get(settings.SECTION)
        every = settings.groups(section) if section else {}
        groups = {name: group for name, group in every.items() if not group.internal}
        self.served = call.serve(groups, litellm_redis.connect() if groups else None)
        self.shared_names = {name: names.InTurn(groups) for name, groups in settings.shared_names(section or {}).items()}
        self.deployments_by_id = {entry["model_info"]["id"]: entry for entry in self.model_list}
        self.own = {endpoint.id for served in self.served.values() for endpoint in served.group.endpoints}
        self.watches = [task for served in self.served.values() for task in health.start(served, self.deployments_by_id)]

    def _serving(self, model: object) -> Served | None:
        if not isinstance(model, str):
            return None
        alias = self.model_group_alias.get(model) if self.model_group_alias else None
        group = alias if isinstance(alias, str) else model
        return self.served.get(group) or self.served.get(names.any_group(group, self.served) or "")

    async def async_get_available_deployment(
        self,
        model: str,
        request_kwargs: dict[str, Any],
        messages: Any = None,
        input: Any = None,  # noqa: A002 - LiteLLM's name
        specific_deployment: bool | None = False,
    ) -> Any:
        """Return the deployment for the present attempt."""
        attempt = call.present.get()
        served = self._serving(model)
        chosen = attempt.choose() if attempt is not None and served is not None else None
        if chosen is None or served is None:
            return await super().async_get_available_deployment(
                model=model,
                request_kwargs=request_kwargs,
                messages=messages,
                input=input,
                specific_deployment=specific_deployment,
            )
        deployment = self.deployments_by_id[chosen]
        parameters = served.keys.fill(deployment["litellm_params"])
        parameters["model"] = names.upstream_model(parameters["model"], served.group.name, model)
        return {**deployment, "litellm_params": parameters}

    def get_deployment(self, model_id: str) -> Any:
        """Return the deployment with this id; None where there is none. LiteLLM would build it anew four times in a request."""
        place = self.model_id_to_deployment_index_map.get(model_id)
        if place is None:
            return None
        entry, known = self.model_list[place], self.built.get(model_id)
        if known is None or known[0] is not entry:
            known = self.built[model_id] = (entry, super().get_deployment(model_id))
        return known[1]

    async def async_function_with_fallbacks(self, *args: Any, **kwargs: Any) -> Any:
        """Choose one of the groups that share a name; the others come next where it fails."""
        shared = self.shared_names.get(kwargs.get("model") or "")
        if shared is None:
            return await super().async_function_with_fallbacks(*args, **kwargs)
        first, *rest = shared.next()
        token = names.others.set(tuple(rest))
        try:
            return await super().async_function_with_fallbacks(*args, **{**kwargs, "model": first})
        finally:
            names.others.reset(token)

    async def _increment_deployment_usage(self, *, deployment_id: str, **settings: Any) -> Any:
        """Count no tokens and requests for LiteLLM's own limits where the limits are kept here: 6 % of a request's CPU."""
        if deployment_id in self.own:
            return None
        return await super()._increment_deployment_usage(deployment_id=deployment_id, **settings)

    async def async_function_with_retries(self, *args: Any, **kwargs: Any) -> Any:
        """Call the provider, and again by the model's retry policy; at each attempt at every endpoint that may do better."""
        served = self._serving(kwargs.get("model"))
        if served is None:
            return await super().async_function_with_retries(*args, **kwargs)
        asked = kwargs.get("num_retries")
        policy = served.group.retries
        retries = min(policy.attempts, asked) if isinstance(asked, int) else policy.attempts

        async def attempt(_: int) -> Any:
            return await self._attempt(served, args, {**kwargs, "num_retries": 0})

        return await backoff.call(attempt, policy, retries)

    async def _attempt(self, served: Served, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tried: set[str] = set()
        while True:
            attempt = Call(served, call.tokens_asked(kwargs), tried)
            token = call.present.set(attempt)
            try:
                response = await super().async_function_with_retries(*args, **kwargs)
                if response is None:
                    raise _unprocessable(served.group.name)
            except BaseException as error:
                attempt.failed(error)
                if not causes.is_endpoints_fault(error) or len(tried) >= len(served.group.endpoints):
                    raise
            else:
                attempt.answered(response)
                return response
            finally:
                call.present.reset(token)

    async def async_function_with_fallbacks_common_utils(  # noqa: PLR0913, PLR0917 - LiteLLM's
        self,
        e: Exception,
        disable_fallbacks: bool | None,
        fallbacks: list[Any] | None,
        context_window_fallbacks: list[Any] | None,
        content_policy_fallbacks: list[Any] | None,
        model_group: str | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        include_fallback_errors: bool = False,
    ) -> Any:
        """Ask the fallbacks that are meant for this error, in order, and no others."""
        served = self._serving(kwargs.get("model"))
        if served is not None and "fallbacks" not in kwargs:
            cause = causes.cause(e)
            groups = list(names.others.get()) if causes.may_do_better_elsewhere(e) else []
            groups += [entry.group for entry in served.group.fallbacks if entry.causes & {causes.ANY, cause}]
            fallbacks = [{kwargs["model"]: groups}] if groups else None
            context_window_fallbacks = content_policy_fallbacks = None
        return await super().async_function_with_fallbacks_common_utils(
            e,
            disable_fallbacks,
            fallbacks,
            context_window_fallbacks,
            content_policy_fallbacks,
            model_group,
            args,
            kwargs,
            include_fallback_errors=include_fallback_errors,
        )


def _unprocessable(model: str) -> Exception:
    """The error in place of the empty answer that LiteLLM's OpenAI client makes of a second 422 when it may drop parameters."""
    error: Exception = litellm.UnprocessableEntityError(
        "the provider can't process the request (422), also without the parameters that it named",
        llm_provider="",
        model=model,
        response=httpx.Response(422, request=httpx.Request("POST", "http://provider")),
    )
    return error


def install() -> None:
    """Make LiteLLM build this Router, and let a call through the limits only where its cache has no answer."""
    look_up = LLMCachingHandler.async_get_cache

    async def look_up_then_enter(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = await look_up(self, *args, **kwargs)
        attempt = call.present.get()
        if attempt is not None and not _answers(found):
            try:
                await attempt.enter()
            except RateLimitTimeoutError as problem:
                metrics.REFUSED.labels(attempt.served.group.name, problem.limit).inc()
                scope.retry_after(problem.retry_after)
                raise Refused(attempt.served.group.name, problem) from None
        return found

    if litellm.Router is not GatewayRouter:
        litellm.Router = GatewayRouter
        LLMCachingHandler.async_get_cache = look_up_then_enter


def _answers(found: Any) -> bool:
    """Whether the cache has the whole answer: wrapper_async in litellm/utils.py calls the provider otherwise."""
    if found is None:
        return False
    whole = found.cached_result is not None and found.final_embedding_cached_response is None
    return whole or found.embedding_all_elements_cache_hit is True
