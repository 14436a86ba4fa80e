"""GET /health for people: what health_status.report says as one page, without a script and without another file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 1.5rem 0 .3rem; overflow-wrap: anywhere }
ul { list-style: none; padding: 0; margin: 0 } li { border-left: .3rem solid #999; padding: .2rem .7rem; margin: .4rem 0;
overflow-wrap: anywhere } small { color: #555; display: block }
.up, .healthy { border-color: #1a7f37 } .down, .unhealthy { border-color: #c62828 } .degraded { border-color: #b26a00 }
b.up, b.healthy { color: #1a7f37 } b.down, b.unhealthy { color: #c62828 } b.degraded { color: #8a5200 }
"""
# The browser may use the style above, and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Mapping[str, Any]) -> bytes:
    """Return the page."""
    status = report["status"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(status)} - langop/model</title><style>{_STYLE}</style></head><body>",
        f"<h1>The gateway is {_word(status)}</h1>",
        _gateway(report),
        *(_rejected(title, report.get(member, ())) for member, title in _REJECTED),
        *(_model(name, model) for name, model in sorted(report["models"].items(), key=_worst_first)),
        "</body></html>\n",
    ]
    return "".join(parts).encode()


_REJECTED = (
    ("unavailable", "Models that can't be served"),
    ("outdated", "Models that are served in their previous version"),
)
_ORDER = ("unhealthy", "degraded", "healthy")


def _worst_first(entry: tuple[str, Mapping[str, Any]]) -> tuple[int, str]:
    return _ORDER.index(entry[1]["status"]), entry[0]


def _gateway(report: Mapping[str, Any]) -> str:
    """Return the part about the gateway itself."""
    configuration = report["configuration"]
    items = [
        _item("", f"Configuration {escape(configuration['hash'])}", _since("served since", configuration.get("served_since")))
    ]
    if refused := report.get("refused_change"):
        findings = "".join(f"<small>{_finding(each)}</small>" for each in refused["findings"])
        items.append(_item("down", "A change is not served", f"<small>since {escape(refused['since'])}</small>{findings}"))
    for name in ("redis", "translator"):
        if part := report.get(name):
            restarts = f"<small>restarts: {part['restarts']}</small>" if part.get("restarts") else ""
            items.append(_item(part["status"], f"{name}: {_word(part['status'])}", restarts))
    if workers := report.get("workers"):
        items.append(_item("", f"workers: {workers['serving']}", f"<small>restarts: {workers['restarts']}</small>"))
    if versions := report.get("versions"):
        items.append(_item("", ", ".join(f"{escape(name)} {escape(version)}" for name, version in versions.items() if version)))
    return _list(items)


def _rejected(title: str, entries: Iterable[Mapping[str, str]]) -> str:
    items = [_item("down", escape(each["resource"]), f"<small>{escape(each['reason'])}</small>") for each in entries]
    return f"<h2>{title}</h2>{_list(items)}" if items else ""


def _model(name: str, model: Mapping[str, Any]) -> str:
    """Return the part about a model: its limits and its endpoints."""
    limits = [
        _item("", f"{escape(limit)}: {figures['used']} of {figures['limit']} used")
        for limit, figures in model.get("limits", {}).items()
    ]
    if model.get("queued"):
        limits.append(_item("degraded", f"waiting for a limit: {model['queued']}"))
    return f"<h2>{escape(name)}: {_word(model['status'])}</h2>{_list([*limits, *map(_endpoint, model['endpoints'])])}"


def _endpoint(endpoint: Mapping[str, Any]) -> str:
    status = endpoint["status"]
    region = f" ({escape(endpoint['region'])})" if "region" in endpoint else ""
    facts = [
        _since("since", endpoint.get("since")),
        _since("skipped until", endpoint.get("cooldown_until")),
        _ago("last answer", endpoint.get("last_answer_seconds_ago")),
        _ago("last check", endpoint.get("last_check_seconds_ago")),
        _error("last error", endpoint.get("last_error")),
        _error("last check failed", endpoint.get("last_check_error")),
        f"<small>in flight: {endpoint['in_flight']}, failures in a row: {endpoint['failures_in_a_row']}</small>",
    ]
    return _item(status, f"{escape(endpoint['id'])}{region}: {_word(status)}", "".join(facts))


def _word(status: str) -> str:
    return f'<b class="{escape(status)}">{escape(status)}</b>'


def _item(kind: str, text: str, more: str = "") -> str:
    return f'<li class="{escape(kind)}">{text}{more}</li>'


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(items)}</ul>"


def _since(word: str, at: str | None) -> str:
    return f"<small>{word} {escape(at)}</small>" if at else ""


def _ago(word: str, seconds: float | None) -> str:
    return f"<small>{word} {seconds:g} s ago</small>" if seconds is not None else ""


def _error(word: str, error: Mapping[str, Any] | None) -> str:
    if error is None:
        return ""
    status = f" {error['status_code']}" if "status_code" in error else ""
    return f"<small>{word}: {escape(error['cause'])}{status}, {error['seconds_ago']:g} s ago</small>"


def _finding(finding: Mapping[str, Any]) -> str:
    about = ", ".join(str(finding[name]) for name in ("resource", "path") if finding.get(name))
    fix = f" ({finding['fix']})" if finding.get("fix") else ""
    return escape(f"{finding['code']}{f' {about}' if about else ''}: {finding['message']}{fix}")
