"""One request to OpenAI itself, where there is a key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from openai import OpenAI

from tests.conftest import ROOT
from tools.processes import Gateway


@pytest.mark.skipif(not os.environ.get("OPENAI_API_KEY"), reason="left out: no live OpenAI request without OPENAI_API_KEY")
def test_openai_itself_answers_through_the_gateway(tmp_path: Path):
    secret = tmp_path / "secrets" / "openai-credentials" / "api-key"
    secret.parent.mkdir(parents=True)
    secret.write_text(os.environ["OPENAI_API_KEY"], encoding="utf-8")
    with Gateway(ROOT / "examples" / "minimal.yaml", tmp_path / "secrets", tmp_path) as gateway:
        client = OpenAI(base_url=f"{gateway.url}/v1", api_key="not-needed")
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello."}], max_tokens=20
        )
    assert answer.choices[0].message.content
