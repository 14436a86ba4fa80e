"""`make health-page`: docs/health.png, the page of GET /health as a phone shows it, from an example of each state."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from langop_model import __version__
from langop_model.gateway.access import health_page
from langop_model.resources import litellm_version

PICTURE = Path("docs/health.png")
WIDTH, HEIGHT = 500, 1170  # CSS pixels; a browser window is not narrower
BROWSER = "chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")

EXAMPLE: dict[str, Any] = {
    "status": "degraded",
    "configuration": {"hash": "4f297c4b6b5a", "served_since": "2026-11-25T08:00:00Z"},
    "redis": {"status": "down"},
    "versions": {"gateway": __version__, "litellm": litellm_version(), "python": "3.11.7"},
    "workers": {"serving": 2, "restarts": 1},
    "translator": {"status": "up", "restarts": 1},
    "refused_change": {
        "since": "2026-11-25T09:12:00Z",
        "findings": [
            {"code": "LM103", "resource": "chat", "path": "spec.timeout", "message": "must be a duration", "fix": "write 30s"},
            {
                "code": "LM726",
                "message": "the changed specification is not served",
                "fix": "fix the errors above; until then the previous configuration stays active",
            },
        ],
    },
    "models": {
        "chat": {
            "status": "degraded",
            "resource": "chat",
            "limits": {
                "requestsPerMinute": {"limit": 600, "used": 412},
                "tokensPerMinute": {"limit": 90000, "used": 61237},
                "concurrentRequests": {"limit": 20, "used": 20},
            },
            "queued": 3,
            "endpoints": [
                {
                    "id": "chat/eu-central-1",
                    "region": "eu-central-1",
                    "status": "up",
                    "since": "2026-11-25T08:00:03Z",
                    "failures_in_a_row": 0,
                    "in_flight": 20,
                    "last_answer_seconds_ago": 0.2,
                    "last_check_seconds_ago": 7.1,
                },
                {
                    "id": "chat/us-east-1",
                    "region": "us-east-1",
                    "status": "down",
                    "since": "2026-11-25T09:40:11Z",
                    "cooldown_until": "2026-11-25T09:41:02Z",
                    "failures_in_a_row": 4,
                    "in_flight": 0,
                    "last_check_seconds_ago": 7.3,
                    "last_error": {"cause": "server_error", "status_code": 503, "seconds_ago": 12.4},
                    "last_check_error": {"cause": "timeout", "seconds_ago": 7.3},
                },
            ],
        },
        "embeddings": {
            "status": "healthy",
            "resource": "embeddings",
            "endpoints": [{"id": "embeddings/endpoint-0", "status": "unknown", "failures_in_a_row": 0, "in_flight": 0}],
        },
    },
    "unavailable": [
        {
            "resource": "images",
            "namespace": "default",
            "reason": "the LanguageModel images in the namespace default can't be served: LM104 spec.provider: unknown",
        }
    ],
}


def screenshot(browser: str, page: bytes, picture: Path, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Draw a page. Raises CalledProcessError where the browser fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "health.html"
        file.write_bytes(page)
        size = f"--window-size={width},{height}"
        command = [browser, *FLAGS, f"--user-data-dir={folder}/profile", size, f"--screenshot={picture}", file.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def main() -> None:
    """Draw the picture."""
    screenshot(sys.argv[1] if len(sys.argv) > 1 else BROWSER, health_page.page(EXAMPLE), PICTURE)


if __name__ == "__main__":
    main()
