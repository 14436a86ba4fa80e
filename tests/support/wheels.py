"""Made-up packages in an index of their own: pip installs from it without a network."""

from __future__ import annotations

import hashlib
import importlib.metadata
import zipfile
from collections.abc import Mapping
from pathlib import Path

_TAG = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Index:
    """A folder in the form of PyPI's simple index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes: dict[str, str] = {}  # by requirement: lead==1.0

    @property
    def url(self) -> str:
        """What pip calls --index-url."""
        return self.folder.as_uri()

    def add(self, name: str, version: str, *metadata: str) -> None:
        """Add a release of a package without content. `metadata` are more lines of its METADATA: Requires-Dist and the like."""
        lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata)
        self._write(name, version, {f"{name}-{version}.dist-info/METADATA": ("\n".join(lines) + "\n").encode()})

    def add_installed(self, name: str) -> str:
        """Add the release of a pure package that the running Python has installed, and return its version."""
        distribution = importlib.metadata.distribution(name)
        folders = {name, f"{name}-{distribution.version}.dist-info"}
        files = {
            str(file): Path(str(file.locate())).read_bytes()
            for file in distribution.files or ()
            if file.parts[0] in folders and file.suffix != ".pyc" and file.name not in ("RECORD", "WHEEL")
        }
        self._write(name, distribution.version, files)
        return distribution.version

    def _write(self, name: str, version: str, files: Mapping[str, bytes]) -> None:
        page = self.folder / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        wheel = page.parent / f"{name}-{version}-py3-none-any.whl"
        information = f"{name}-{version}.dist-info"
        all_files = {**files, f"{information}/WHEEL": _TAG.encode()}
        record = "".join(f"{path},,\n" for path in (*all_files, f"{information}/RECORD"))
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in {**all_files, f"{information}/RECORD": record.encode()}.items():
                archive.writestr(path, content)
        self.hashes[f"{name}=={version}"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
        with page.open("a", encoding="utf-8") as listing:
            listing.write(f'<a href="{wheel.name}">{wheel.name}</a>\n')

    def lock(self, path: Path, *requirements: str) -> Path:
        """Write a lock of `requirements` (lead==1.0) with their hashes, and return its path."""
        lines = (f"{requirement} --hash=sha256:{self.hashes[requirement]}\n" for requirement in requirements)
        path.write_text("".join(lines), encoding="utf-8")
        return path
