"""What an answer costs: the prices of its deployment, else those of its model in LiteLLM's list, else nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from langop_model.gateway.accounting import price_list
from langop_model.gateway.accounting.rates import Row
from langop_model.gateway.upstreams.base import Route, Usage

ANY = "*"
# Prefixes of Bedrock's cross-region inference profiles, whose price is the model's where the list has none for the profile:
# https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
PROFILES = ("us.", "eu.", "apac.", "global.", "us-gov.", "au.", "jp.", "ca.")
PICTURE_ROUTES = (Route.IMAGES, Route.IMAGE_EDITS)
DEFAULT_SIZE, HIGHEST = "1024x1024", "high"  # OpenAI's
# Modes of rows whose price per second is that of the machine: for as long as the request takes.
BY_TIME = frozenset({"audio_transcription", "chat", "completion", "embedding", "responses", None})


@dataclass(slots=True)
class Deployment:
    """A rendered deployment: LiteLLM's name of its model with the provider in front, and its `litellm_params`.

    `base_model` is the model behind an Azure deployment, where the configuration names it. `provider` is LiteLLM's name of it,
    and of one that `serves_any` the client says which model of the provider it asks.
    """

    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    base_model: str = ""
    provider: str = field(init=False)
    serves_any: bool = field(init=False)

    def __post_init__(self) -> None:
        """Find out what each request asks for."""
        self.provider = str(self.parameters.get("custom_llm_provider") or self.model.partition("/")[0])
        self.serves_any = self.model.endswith(ANY)

    def named(self, model: str) -> str:
        """Return LiteLLM's name of the model that a client asked for."""
        return self.model.removesuffix(ANY) + model if self.serves_any else self.model


def deployments(config: Mapping[str, Any]) -> dict[str, Deployment]:
    """Return the deployments of a rendered configuration by the ids of their endpoints."""
    found = {}
    for entry in config.get("model_list") or ():
        parameters, info = entry["litellm_params"], entry.get("model_info") or {}
        if "id" in info:
            base = str(info.get("base_model") or parameters.get("base_model") or "")
            found[str(info["id"])] = Deployment(str(parameters["model"]), parameters, base)
    return found


class Prices:
    """The prices of all deployments of a gateway. `file` is LiteLLM's price list; None: the one that is installed."""

    def __init__(self, deployments: Mapping[str, Deployment], file: Path | None = None) -> None:
        self.deployments = dict(deployments)
        stated = {name: own(deployment.parameters) for name, deployment in self.deployments.items()}
        self._stated = {name: Row(prices) for name, prices in stated.items() if prices}
        listed = [deployment for name, deployment in self.deployments.items() if name not in self._stated]
        file = file or (price_list.path() if listed else None)
        self._rows = price_list.rows(file, _wanted(listed)) if file is not None else {}
        self._row = lru_cache(maxsize=1024)(self._find)

    def cost(  # noqa: PLR0913, PLR0917 - each is something that has a price
        self,
        endpoint: str,
        model: str,
        route: Route,
        usage: Usage,
        seconds: float = 0.0,
        size: str = "",
        quality: str = "",
        *,
        now: datetime | None = None,
    ) -> float | None:
        """Return what an answer of an endpoint costs in USD; None where the price is not known, which is not 0.

        `model` is what the provider was asked for, and counts where the endpoint serves any. `seconds` is how long it took;
        `size` and `quality` are those of the pictures that were asked for.
        """
        deployment = self.deployments.get(endpoint)
        if deployment is None:
            return None
        shape = (size or DEFAULT_SIZE) if route in PICTURE_ROUTES else ""
        asked = model.removeprefix(deployment.named("")) if deployment.serves_any else ""
        row = self._row(endpoint, asked, shape, quality)
        return None if row is None else cost(row, route, usage, seconds=seconds, size=size, now=now)

    def _find(self, endpoint: str, model: str, size: str, quality: str) -> Row | None:
        stated = self._stated.get(endpoint)
        if stated is not None:
            return stated
        deployment = self.deployments[endpoint]
        pictures = _pictures(deployment, model, size, quality) if size else ()
        for name in (*pictures, *candidates(deployment, model)):
            found = self._rows.get(name)
            if found is not None:
                row = orjson.loads(found)
                if _speaks_for(name, row, deployment):
                    return Row(row, surcharge(row, deployment.parameters))
        return None


def cost(  # noqa: PLR0911 - one return for each kind of price
    row: Row, route: Route, usage: Usage, *, seconds: float = 0.0, size: str = "", now: datetime | None = None
) -> float | None:
    """Return what an answer costs by a row of prices, in USD; None where the row has no price for what it used."""
    if row.is_free:
        return 0.0 if any(price_list.is_price(name) for name in row.prices) else None
    has_tokens = row.has_token_prices and (usage.total > 0 or route is Route.COUNT_TOKENS)
    if route in PICTURE_ROUTES:
        return row.cost(usage, now) if has_tokens else _of_pictures(row, usage.images, size)
    if route is Route.TRANSCRIPTIONS and not has_tokens:
        price = row.price("output_cost_per_second") or row.price("input_cost_per_second")
        return None if price is None or not usage.seconds else price * usage.seconds
    if route is Route.SPEECH:
        price = row.price("input_cost_per_character")
        if price is not None and usage.characters:
            return price * usage.characters
    if route is Route.RERANK:
        price = row.price("input_cost_per_query")
        if price:
            return price * usage.queries
    if row.has_token_prices:
        return row.cost(usage, now)
    return _of_time(row, seconds)


def own(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the prices that a deployment states; then it has no others."""
    return {name: value for name, value in parameters.items() if price_list.is_price(name) or name == "tiered_pricing"}


def candidates(deployment: Deployment, model: str = "") -> Iterable[str]:
    """Yield the names that a model may have in the list, the most precise first."""
    region = deployment.parameters.get("aws_region_name") or deployment.parameters.get("region_name")
    for name in (deployment.base_model, deployment.named(model)):
        if not name:
            continue
        bare = name.removeprefix(f"{deployment.provider}/")
        if region:
            yield f"{deployment.provider}/{region}/{bare}"
        yield from (f"{deployment.provider}/{bare}", name, bare)
        last = bare.rpartition("/")[2]
        yield from (last, *(last.removeprefix(profile) for profile in PROFILES if last.startswith(profile)))


def surcharge(row: Mapping[str, Any], parameters: Mapping[str, Any]) -> float:
    """Return the factor of the region that serves a model: OpenAI's `eu.` and `us.` hosts, Vertex AI's regional ones."""
    host = urlsplit(str(parameters.get("api_base") or "")).hostname or ""
    region = host.partition(".")[0] if host.endswith(".api.openai.com") else ""
    if region:
        return float(row.get(f"regional_processing_uplift_multiplier_{region}") or 1.0)
    location = str(parameters.get("vertex_location") or "global").lower()
    return 1.0 if location == "global" else float(row.get("regional_endpoint_uplift_multiplier") or 1.0)


def _of_pictures(row: Row, images: int, size: str) -> float | None:
    for name in ("input_cost_per_image", "output_cost_per_image"):
        price = row.price(name)
        if price is not None:
            return price * images
    price = row.price("input_cost_per_pixel")
    width, _, height = (size or DEFAULT_SIZE).partition("x")
    if price is None or not (width.isdigit() and height.isdigit()):
        return None
    return price * int(width) * int(height) * images


def _of_time(row: Row, seconds: float) -> float | None:
    if row.prices.get("mode") not in BY_TIME:
        return None
    for name in ("cost_per_second", "input_cost_per_second", "output_cost_per_second"):
        price = row.price(name)
        if price is not None:
            return price * seconds
    return None


def _pictures(deployment: Deployment, model: str, size: str, quality: str) -> Iterable[str]:
    """Yield the names of a picture's rows, with its size and quality in front of the model.

    Without a quality, a model that has prices for qualities alone costs what the highest does, as LiteLLM charges it.
    """
    shape = size.replace("x", "-x-")
    bare = deployment.named(model).removeprefix(f"{deployment.provider}/")
    sized = (f"{deployment.provider}/{shape}/{bare}", f"{shape}/{bare}")
    if quality:
        yield from (f"{quality}/{sized[0]}", f"{deployment.provider}/{quality}/{shape}/{bare}", f"{quality}/{sized[1]}")
    yield from (sized[0], f"{HIGHEST}/{sized[0]}", sized[1])


def _speaks_for(name: str, row: Mapping[str, Any], deployment: Deployment) -> bool:
    """Whether a row that was found by its name is the deployment's provider's: the same name may be another's model."""
    listed = row.get("litellm_provider")
    return listed is None or name.startswith(f"{deployment.provider}/") or price_list.speaks_for(listed, deployment.provider)


def _wanted(listed: Iterable[Deployment]) -> price_list.Wanted:
    named = [deployment for deployment in listed if not deployment.serves_any]
    return price_list.Wanted(
        names=frozenset(name for deployment in named for name in candidates(deployment)),
        models=frozenset(deployment.named("").rpartition("/")[2] for deployment in named),
        providers=frozenset(deployment.provider for deployment in listed if deployment.serves_any),
    )
