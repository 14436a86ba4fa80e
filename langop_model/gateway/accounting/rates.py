"""What the tokens of an answer cost by one row of prices: cached ones, long questions, service tiers, sound and pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from langop_model.gateway.upstreams.base import Usage

INPUT, OUTPUT = "input_cost_per_token", "output_cost_per_token"
CACHED, CREATED = "cache_read_input_token_cost", "cache_creation_input_token_cost"
CREATED_HOUR = f"{CREATED}_above_1hr"
REASONING = "output_cost_per_reasoning_token"
ABOVE = re.compile(rf"^(?:{INPUT}|{OUTPUT}|{CACHED}|{CREATED}|{CREATED_HOUR})_above_(\d+)(k?)_tokens$")
AUDIO, IMAGE = "input_cost_per_audio_token", "input_cost_per_image_token"
ABOVE_OF_MODALITY = re.compile(rf"^({AUDIO}|{IMAGE})_above_(\d+)(k?)_tokens$")
# Service tiers with prices of their own, by the names that answers give them.
TIERS = {"flex": "flex", "priority": "priority", "fast": "priority", "batch": "batches", "balanced": "balanced"}
TIERS["ultrafast"] = "ultrafast"


class Rates(NamedTuple):
    """Prices of one token in USD, as they apply to one request."""

    input: float
    output: float
    cached: float
    created: float
    created_hour: float
    reasoning: float


class Row:
    """The prices of one model. `multiplier` is the surcharge of the region that serves it."""

    __slots__ = ("_known", "_modalities", "_thresholds", "has_token_prices", "is_free", "multiplier", "prices")

    def __init__(self, prices: Mapping[str, Any], multiplier: float = 1.0) -> None:
        self.prices = {name: number(value) for name, value in prices.items()}
        self.multiplier = multiplier
        found = {match.groups() for name in prices if (match := ABOVE.match(name))}
        self._thresholds = sorted((int(digits) * (1000 if k else 1), f"{digits}{k}") for digits, k in found)
        modalities = sorted(match.groups() for name in prices if (match := ABOVE_OF_MODALITY.match(name)))
        self._modalities = [(name, int(digits) * (1000 if k else 1), f"{digits}{k}") for name, digits, k in modalities]
        # A token has a price, be it 0; and every price is 0.
        self.has_token_prices = INPUT in self.prices or OUTPUT in self.prices or bool(self.prices.get("tiered_pricing"))
        self.is_free = not any(value for name, value in self.prices.items() if "cost" in name or name == "tiered_pricing")
        self._known: dict[tuple[int, str], Rates] = {}

    def price(self, name: str) -> float | None:
        """Return a single price of the row in USD."""
        value = self.prices.get(name)
        return value if isinstance(value, float) else None

    def cost(self, usage: Usage, now: datetime | None = None) -> float:
        """Return what the tokens of an answer cost in USD. `now` decides about off-peak prices; without, the clock does."""
        tier = TIERS.get(usage.tier, "")
        rates = self._off_peak(self.rates(usage.input_tokens, tier), now)
        asked = self._input(usage, rates, tier)
        return (asked + self._output(usage, rates)) * self.multiplier

    def rates(self, tokens: int, tier: str = "") -> Rates:
        """Return the prices that apply to a question of so many tokens, in a service tier."""
        above = sum(tokens > threshold for threshold, _ in self._thresholds)
        found = self._known.get((above, tier))
        if found is None or self.prices.get("tiered_pricing"):
            found = self._known[above, tier] = self._tiered(tokens) or self._resolved(above, tier)
        return found

    def _input(self, usage: Usage, rates: Rates, tier: str) -> float:
        """Sound and pictures may be among what was cached: what the cache covers is not counted a second time."""
        left = max(usage.input_tokens - usage.cached_tokens - usage.cache_creation_tokens, 0)
        audio = min(usage.audio_input_tokens, left)
        images = min(usage.image_input_tokens, left - audio)
        hour = min(usage.cache_creation_hour_tokens, usage.cache_creation_tokens)
        cost = (left - audio - images) * rates.input + usage.cached_tokens * rates.cached
        cost += (usage.cache_creation_tokens - hour) * rates.created + hour * rates.created_hour
        if audio:
            cost += audio * self._of(self._above(AUDIO, usage.input_tokens), tier, rates.input)
        if images:
            cost += images * self._of(self._above(IMAGE, usage.input_tokens), tier, rates.input)
        return cost

    def _output(self, usage: Usage, rates: Rates) -> float:
        audio, images = usage.audio_output_tokens, usage.image_output_tokens
        text = max(usage.output_tokens - usage.reasoning_tokens - audio - images, 0)
        cost = text * rates.output + usage.reasoning_tokens * rates.reasoning
        if audio:
            cost += audio * self._of("output_cost_per_audio_token", "", rates.output)
        if images:
            cost += images * self._of("output_cost_per_image_token", "", rates.output)
        return cost

    def _above(self, name: str, tokens: int) -> str:
        """Return the price of sound or pictures that counts in a question of so many tokens: both have own thresholds."""
        passed = [(above, shown) for modality, above, shown in self._modalities if modality == name and tokens > above]
        return f"{name}_above_{max(passed)[1]}_tokens" if passed else name

    def _of(self, name: str, tier: str, default: float | None) -> Any:
        """Return a price in a service tier, else the standard one, else `default`."""
        if tier:
            price = self.price(f"{name}_{tier}")
            if price is not None:
                return price
        price = self.price(name)
        return default if price is None else price

    def _resolved(self, above: int, tier: str) -> Rates:
        """Return the prices above that many thresholds; a price that has none of its own there keeps the one below."""
        names = (INPUT, OUTPUT, CACHED, CREATED, CREATED_HOUR)
        found = {name: self._of(name, tier, None) for name in names}
        found[OUTPUT] = found[OUTPUT] or self._of("output_cost_per_image_token", "", 0.0)
        for _, threshold in self._thresholds[:above]:
            for name in names:
                found[name] = self._of(f"{name}_above_{threshold}_tokens", tier, found[name])
        paid = found[INPUT] or 0.0
        created = paid if found[CREATED] is None else found[CREATED]  # without a price of its own: an ordinary token
        cached = paid if found[CACHED] is None else found[CACHED]
        hour = created if found[CREATED_HOUR] is None else found[CREATED_HOUR]
        return Rates(paid, found[OUTPUT], cached, created, hour, self._reasoning(tier, found[OUTPUT]))

    def _reasoning(self, tier: str, output: float) -> float:
        """Return the price of reasoning; a tier with its own price of output and none of reasoning takes that of output."""
        own = self.price(f"{REASONING}_{tier}") if tier else None
        if own is not None:
            return own
        if tier and self.price(f"{OUTPUT}_{tier}") is not None:
            return output
        standard = self.price(REASONING)
        return output if standard is None else standard

    def _tiered(self, tokens: int) -> Rates | None:
        """Return the prices of the range that the whole question falls into: `tiered_pricing`, with both ends in tokens."""
        tiers = self.prices.get("tiered_pricing")
        ranged = [each for each in tiers if len(each.get("range", ())) == 2] if isinstance(tiers, list) and tokens > 0 else []
        if not ranged:
            return None
        ranged.sort(key=lambda each: float(each["range"][0]))
        chosen = next((each for each in ranged if each["range"][0] < tokens <= each["range"][1]), ranged[-1])
        if INPUT not in chosen:
            return None
        own = {name: number(value) for name, value in chosen.items()}
        paid, output = own[INPUT], own.get(OUTPUT, self.price(OUTPUT) or 0.0)
        created = own.get(CREATED, paid)
        return Rates(paid, output, own.get(CACHED, paid), created, own.get(CREATED_HOUR, created), own.get(REASONING, output))

    def _off_peak(self, rates: Rates, now: datetime | None) -> Rates:
        """Return `rates` with those of `off_peak_pricing` while one of its windows is open."""
        block = self.prices.get("off_peak_pricing")
        if not isinstance(block, Mapping) or not is_off_peak(block, now or datetime.now(UTC)):
            return rates
        own = {name: number(value) for name, value in block.items()}
        output = own.get(OUTPUT, rates.output)
        reasoning = own.get(REASONING, output if rates.reasoning == rates.output else rates.reasoning)
        paid = own.get(INPUT, rates.input)
        cached = own.get(CACHED, paid if rates.cached == rates.input else rates.cached)
        created = own.get(CREATED, paid if rates.created == rates.input else rates.created)
        hour = created if rates.created_hour == rates.created else rates.created_hour
        return Rates(paid, output, cached, created, hour, reasoning)


def is_off_peak(block: Mapping[str, Any], now: datetime) -> bool:
    """Whether a window of `off_peak_pricing` is open: `hours_utc` every day, those of `windows` on their weekdays."""
    clock = now.astimezone(UTC).time().replace(tzinfo=None)
    if any(_within(window, clock) for window in _texts(block.get("hours_utc"))):
        return True
    zone = ZoneInfo(block["weekday_timezone"]) if block.get("weekday_timezone") else UTC
    day = now.astimezone(zone).isoweekday()
    for rule in block.get("windows") or ():
        if day in (rule.get("weekdays") or range(1, 8)) and any(_within(each, clock) for each in _texts(rule.get("hours_utc"))):
            return True
    return False


def _within(window: str, clock: time) -> bool:
    start, end = (time.fromisoformat(part.strip()) for part in window.split("-"))
    return start <= clock < end if start < end else clock >= start or clock < end


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def number(value: Any) -> Any:
    """Return a price as a float: YAML reads 3e-7 as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
