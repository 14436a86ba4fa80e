"""What `langop-model schema` prints."""

from __future__ import annotations

import json

_FILES = {
    "input": "languagemodel.schema.json",
    "output": "litellm-config.schema.json",
    "findings": "findings.json",
    "explanation": "explanation.schema.json",
    "difference": "difference.schema.json",
}


def text(which: str, *, strict: bool = False) -> str:
    """Return the text of a schema, one of the files above or the CRD; with `strict` the input's with every rule of `render`."""
    if which == "crd":
        from langop_model.schemas import crd

        return crd.text()
    if strict:
        from langop_model.schemas import strict as generated

        return json.dumps(generated.schema(), indent=2, ensure_ascii=False) + "\n"
    from langop_model.resources import folder

    return (folder("schema") / _FILES[which]).read_text(encoding="utf-8")
