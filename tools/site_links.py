"""A hook of mkdocs: links from the documentation to files of the checkout lead to the repository, as they do on GitHub."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

_LINK = re.compile(r"\]\(((?:\.\./)+)([^)]+)\)")


def on_page_markdown(markdown: str, /, *, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001 - mkdocs passes them
    """Return a page's text with links that leave docs/ as links to the repository."""
    depth = len(PurePosixPath(page.file.src_uri).parts)

    def absolute(link: re.Match[str]) -> str:
        leaves = link[1].count("../") >= depth
        return f"]({config.repo_url}/blob/main/{link[2]})" if leaves else link[0]

    return _LINK.sub(absolute, markdown)
