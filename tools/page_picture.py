"""Write docs/explain.png: the top of the page that `explain --format html` makes of an example, as a browser shows it.

    python -m tools.page_picture

It needs Debian's chromium. The picture depends on the fonts of the machine: it is for readers, and no test compares it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support import programs

ROOT = Path(__file__).parent.parent
EXAMPLE = "examples/every-field.yaml"
PICTURE = ROOT / "docs" / "explain.png"
SIZE = (1280, 860)  # the summary, the path of a request, and the first findings


def main() -> None:
    """Render the page, open it, and write the picture."""
    command = [sys.executable, "render.py", "explain", "--format", "html", EXAMPLE]
    page_text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        path = Path(folder) / "page.html"
        path.write_bytes(page_text)
        browser = started.chromium.launch(executable_path=programs.find("chromium", "chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto(path.as_uri())
        page.screenshot(path=PICTURE)
        browser.close()
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
