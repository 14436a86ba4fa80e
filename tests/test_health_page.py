"""GET /health as a page: complete, readable on a phone, without a script, another file or a secret."""

from __future__ import annotations

import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from langop_model.gateway.access import health_page
from tests.conftest import ROOT
from tests.support import programs
from tools.health_page import EXAMPLE, FLAGS, screenshot

PHONE = 500  # CSS pixels: the narrowest window of the browser; its text is as large as on a phone
PAGE = health_page.page(EXAMPLE).decode()


class Elements(HTMLParser):
    """The elements of a page, their attributes and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def browser() -> str:
    """A headless browser."""
    try:
        return programs.find("chromium", "chromium")
    except FileNotFoundError as problem:
        pytest.skip(f"the page is not looked at in a browser: {problem}")


def texts(value: Any) -> list[str]:
    """Return every text within a report, and names of models."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)] + [name for name in value if name in EXAMPLE["models"]]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def test_it_shows_what_the_report_says():
    shown = Elements(PAGE).text
    left_out = {"default"} | {model["resource"] for model in EXAMPLE["models"].values()} - EXAMPLE["models"].keys()
    assert [text for text in texts(EXAMPLE) if text not in shown and text not in left_out] == []


def test_it_has_no_script_and_no_other_file():
    page = Elements(PAGE)
    assert not page.names & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert not page.attributes & {"src", "href", "style", "action"}
    assert not [name for name in page.attributes if name.startswith("on")]
    assert "url(" not in PAGE
    assert "@import" not in PAGE


def test_names_are_text():
    name = "<script>alert(1)</script>"
    model = EXAMPLE["models"]["embeddings"]
    page = health_page.page({**EXAMPLE, "models": {name: model}}).decode()
    assert name not in page
    assert name in Elements(page).text


def test_the_worst_comes_first():
    assert PAGE.index("chat:") < PAGE.index("embeddings:")


def test_it_fits_the_width_of_a_phone(browser: str, tmp_path: Path):
    """The copy that is measured has a script, which the page itself forbids."""
    script = "<script>document.title = [document.documentElement.scrollWidth, innerWidth].join()</script></body>"
    copy = PAGE.replace("Content-Security-Policy", "x-none").replace("</body>", script)
    long = copy.replace("embeddings/endpoint-0", "x" * 253)
    for page in (copy, long):
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        command = [browser, *FLAGS, f"--user-data-dir={tmp_path}/profile", f"--window-size={PHONE},800", "--dump-dom"]
        done = subprocess.run(
            [*command, (tmp_path / "page.html").as_uri()], capture_output=True, text=True, timeout=120, check=True
        )
        measured = done.stdout.partition("<title>")[2].partition("</title>")[0]
        width, window = (int(number) for number in measured.split(","))
        assert 0 < width <= window


def test_a_browser_draws_it(browser: str, tmp_path: Path):
    screenshot(browser, PAGE.encode(), tmp_path / "health.png")
    assert (tmp_path / "health.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "health.png").stat().st_size > 0.5 * (ROOT / "docs" / "health.png").stat().st_size
