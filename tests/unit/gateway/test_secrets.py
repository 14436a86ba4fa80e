"""Keys as they are now: what a deployment is filled with, before and after a mounted file has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from langop_model.contract.settings import Key
from langop_model.gateway.secrets import ProviderKeys


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "secret"
    folder.mkdir()
    return folder


def write(path: Path, text: str) -> None:
    path.write_text(f"{text}\n", encoding="utf-8")


def one(secret: Path) -> ProviderKeys:
    return ProviderKeys({"api_key": Key("LANGOP_KEY", file=str(secret / "api-key"))})


def test_a_key_takes_the_place_of_its_reference(secret: Path):
    write(secret / "api-key", "first")
    assert one(secret).fill({"model": "m", "api_key": "os.environ/LANGOP_KEY"}) == {"model": "m", "api_key": "first"}


def test_the_parameters_of_the_deployment_itself_stay_as_they_are(secret: Path):
    write(secret / "api-key", "first")
    parameters = {"api_key": "os.environ/LANGOP_KEY"}
    one(secret).fill(parameters)
    assert parameters == {"api_key": "os.environ/LANGOP_KEY"}


def test_a_changed_file_is_read_anew(secret: Path):
    keys = one(secret)
    for text in ("first", "second"):
        write(secret / "api-key", text)
        assert keys.fill({})["api_key"] == text


def test_an_unchanged_file_is_not_read_again(secret: Path, monkeypatch: pytest.MonkeyPatch):
    write(secret / "api-key", "first")
    keys = one(secret)
    keys.fill({})
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("read again"))
    assert keys.fill({})["api_key"] == "first"


@pytest.mark.parametrize("change", ["unlink", "empty", "binary"])
def test_a_file_that_is_no_key_any_more_leaves_the_last_one(change: str, secret: Path):
    path = secret / "api-key"
    write(path, "first")
    keys = one(secret)
    keys.fill({})
    if change == "unlink":
        path.unlink()
    else:
        path.write_bytes(b"\n" if change == "empty" else b"\xff\xfe")
    assert keys.fill({})["api_key"] == "first"


def test_a_swapped_link_as_kubernetes_makes_it_is_noticed(secret: Path):
    for text in ("first", "second"):
        (secret / text).mkdir()
        write(secret / text / "api-key", text)
    (secret / "..data").symlink_to("first")
    (secret / "api-key").symlink_to("..data/api-key")
    keys = one(secret)
    assert keys.fill({})["api_key"] == "first"
    (secret / "..new").symlink_to("second")
    (secret / "..new").rename(secret / "..data")
    assert keys.fill({})["api_key"] == "second"


def test_a_key_of_a_whole_secret_may_come_and_go(secret: Path):
    keys = ProviderKeys({"aws_session_token": Key("LANGOP_TOKEN", folder=str(secret), names=("aws_session_token",))})
    assert keys.fill({}) == {}
    write(secret / "AWS-Session-Token", "token")
    assert keys.fill({}) == {"aws_session_token": "token"}
    (secret / "AWS-Session-Token").unlink()
    assert keys.fill({}) == {}


def test_an_entry_of_an_object_is_filled_beside_the_others(secret: Path):
    write(secret / "api-key", "first")
    keys = ProviderKeys({"extra_headers.X-Key": Key("LANGOP_KEY", file=str(secret / "api-key"))})
    filled = keys.fill({"extra_headers": {"X-Other": "1", "X-Key": "os.environ/LANGOP_KEY"}})
    assert filled == {"extra_headers": {"X-Other": "1", "X-Key": "first"}}


def test_a_variable_of_the_process_is_set_and_stands_in_no_deployment(secret: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOME_CLIENT_SECRET", "old")
    write(secret / "some-client-secret", "new")
    keys = ProviderKeys({"SOME_CLIENT_SECRET": Key("SOME_CLIENT_SECRET", folder=str(secret), names=("some_client_secret",))})
    assert keys.fill({}) == {}
    assert os.environ["SOME_CLIENT_SECRET"] == "new"


def test_a_folder_of_tokens_is_left_to_litellm(secret: Path):
    write(secret / "access-token", "token")
    assert ProviderKeys({"TOKEN_DIR": Key("TOKEN_DIR", folder=str(secret), delivery="folder")}).fill({}) == {}
