"""Making no routes that are not open."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from langop_model.gateway.serving import lean


def answer() -> str:
    return "here"


def served(app: FastAPI, path: str) -> bool:
    return TestClient(app).get(path).status_code == 200


def test_only_open_paths_are_made_also_of_an_included_router():
    with lean.only({"/v1/open", "/v1/deep/open"}):
        app, router = FastAPI(), APIRouter(prefix="/deep")
        for path in ("/v1/open", "/open", "/v1/closed", "/closed"):
            app.get(path)(answer)
        router.get("/open")(answer)
        router.get("/closed")(answer)
        app.include_router(router, prefix="/v1")
    paths = ("/v1/open", "/open", "/v1/closed", "/closed", "/v1/deep/open", "/v1/deep/closed")
    assert [path for path in paths if served(app, path)] == ["/v1/open", "/open", "/v1/deep/open"]


def test_afterwards_every_route_is_made_again():
    with lean.only({"/open"}):
        pass
    app = FastAPI()
    app.get("/closed")(answer)
    assert served(app, "/closed")
