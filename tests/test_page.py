"""The page of `explain --format html` in a real browser, from disk: what it shows, and that it asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from langop_model.cli import main
from tests.conftest import ROOT
from tests.support import programs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")

EVERY_FIELD = "examples/every-field.yaml"
SIZE: Any = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        program = programs.find("chromium", "chromium")
    except FileNotFoundError as problem:
        pytest.skip(str(problem))
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of one model, of a gateway, and of two inputs, as they are written to disk."""
    folder = tmp_path_factory.mktemp("pages")
    pages = {
        "one": [EVERY_FIELD],
        "gateway": ["--gateway", "examples/gateway"],
        "two": ["examples/minimal.yaml", "examples/openai-model.yaml"],
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for name, arguments in pages.items():
            result = CliRunner(catch_exceptions=False).invoke(main, ["explain", "--format", "html", *arguments])
            assert result.exit_code == 0, result.stderr
            (folder / f"{name}.html").write_text(result.stdout, encoding="utf-8")
    return folder


@pytest.fixture
def opened(browser: Browser, written: Path) -> Iterator[Any]:
    """A function that opens a page from disk; afterwards nothing was asked of the network, and nothing went wrong."""
    context = browser.new_context(viewport=SIZE)
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: wrong.append(message.text))
    context.on("weberror", lambda error: wrong.append(str(error.error)))

    def open_page(name: str) -> Page:
        page: Page = context.new_page()
        page.goto((written / f"{name}.html").as_uri())
        return page

    yield open_page
    context.close()
    assert [url for url in asked if not url.startswith("file://")] == []
    assert len([url for url in asked if url.startswith("file://")]) == len(set(asked))
    assert wrong == []


def test_a_page_shows_each_model_with_its_fields_and_picture(opened: Any):
    page = opened("gateway")
    assert page.title() == "2 models · langop/model"
    assert page.locator("section.model h2").all_inner_texts() == ["fast", "in-house"]
    assert page.locator("section.model svg.path").count() == 2
    assert page.locator("section.model").first.locator("tbody tr").count() > 20


def test_a_link_leads_to_its_model(opened: Any):
    page = opened("gateway")
    page.get_by_role("link", name="in-house").click()
    page.wait_for_function("location.hash === '#m1-in-house'")
    assert page.locator("#m1-in-house h2").evaluate("e => e.getBoundingClientRect().top < innerHeight")


def test_a_row_says_value_origin_faithfulness_and_sentence(opened: Any):
    page = opened("one")
    row = page.locator("tbody tr", has=page.locator("th", has_text="maxAttempts"))
    cells = row.locator("td").all_inner_texts()
    assert cells[:3] == ["4", "written", "exact"]
    assert "A request is tried up to 5 times: after 250 ms, 750 ms, 2.25 s, 6.75 s." in cells[3]


def test_places_are_unfolded_without_a_script(opened: Any):
    page = opened("one")
    details = page.locator("tbody tr details").first
    assert not details.locator("li").first.is_visible()
    details.locator("summary").click()
    assert details.locator("li").first.is_visible()
    assert page.locator("script").count() == 0


def test_findings_are_shown_with_what_to_do(opened: Any):
    page = opened("one")
    assert "warning LM311" in page.locator("ul.findings").inner_text()
    assert "give the prices in USD" in page.locator("ul.findings").inner_text()


def test_two_inputs_begin_with_what_changes(opened: Any):
    page = opened("two")
    assert page.locator("main > section").first.get_attribute("id") == "changes"
    assert "model renamed: clients that ask for gpt-4o-mini get 404" in page.locator("#changes li.breaks").first.inner_text()


def test_the_picture_fits_the_page_and_its_texts_fit_their_boxes(opened: Any):
    page = opened("one")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = """() => [...document.querySelectorAll('svg.path .box')].filter(box => {
        const frame = box.querySelector('rect').getBoundingClientRect();
        return [...box.querySelectorAll('text')].some(text => text.getBoundingClientRect().right > frame.right + 0.5);
    }).length"""
    assert page.evaluate(outside) == 0


def test_boxes_of_the_picture_do_not_overlap(opened: Any):
    page = opened("one")
    overlapping = """() => {
        const boxes = [...document.querySelectorAll('svg.path rect')].map(box => box.getBoundingClientRect());
        return boxes.filter((one, i) => boxes.some((other, j) => i < j && one.left < other.right && other.left < one.right
            && one.top < other.bottom && other.top < one.bottom)).length;
    }"""
    assert page.evaluate(overlapping) == 0
    assert page.locator("svg.path rect").count() == 9


def luminance(page: Page, selector: str, property_name: str) -> float:
    """Return how light a colour is, from 0 to 1 (WCAG 2)."""
    script = f"e => getComputedStyle(e).{property_name}.match(/[\\d.]+/g).slice(0, 3).map(Number)"
    channels = [each / 255 for each in page.locator(selector).first.evaluate(script)]
    linear = [float(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "selector", ["body", ".source", ".kept.exact", ".kept.approximate", ".kept.unsupported", "svg.path text"]
)
def test_texts_can_be_read_in_light_and_in_dark(opened: Any, scheme: str, selector: str):
    """WCAG 2 AA: a contrast of 4.5 to the ground."""
    page = opened("one")
    page.emulate_media(color_scheme=scheme)
    ground = luminance(page, "body", "backgroundColor")
    text = luminance(page, selector, "fill" if "svg" in selector else "color")
    assert (ground < 0.2) == (scheme == "dark")
    assert (max(ground, text) + 0.05) / (min(ground, text) + 0.05) >= 4.5


def test_it_can_be_printed(opened: Any):
    """Black on white, the whole picture, a page for each model, and nothing that needs a click."""
    page = opened("gateway")
    page.emulate_media(media="print", color_scheme="dark")
    assert luminance(page, "body", "backgroundColor") == pytest.approx(1)
    assert luminance(page, "body", "color") == pytest.approx(0)
    assert page.locator("section.model").nth(1).evaluate("e => getComputedStyle(e).breakBefore") == "page"
    assert not page.locator("nav").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_narrow_screen_scrolls_the_table_and_not_the_page(opened: Any):
    page = opened("one")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_policy_of_the_page_forbids_every_request(browser: Browser, written: Path, tmp_path: Path):
    """An image, a script and a style that somebody smuggles in have no effect."""
    smuggled = (
        "<img src='http://127.0.0.1:9/x'><script>document.title = 'smuggled'</script>"
        "<style>body { background: rgb(1, 2, 3) }</style></body>"
    )
    path = tmp_path / "smuggled.html"
    path.write_text((written / "one.html").read_text(encoding="utf-8").replace("</body>", smuggled), encoding="utf-8")
    page = browser.new_page()
    failed: list[str] = []
    page.on("console", lambda message: failed.append(message.text))
    page.goto(path.as_uri())
    assert page.title() == "every-field · langop/model"
    assert page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") != "rgb(1, 2, 3)"
    assert len([text for text in failed if "Content Security Policy" in text]) == 3
    page.close()
