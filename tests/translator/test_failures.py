"""What an exception of LiteLLM's means, by what the HTTP client below it has seen."""

from __future__ import annotations

import ssl

import httpx
import pytest

from langop_model.gateway.upstreams.base import FailureKind
from langop_model.translator import exchanges
from langop_model.translator.failures import failure_of

UNTRUSTED = ssl.SSLCertVerificationError("certificate verify failed: certificate has expired")


@pytest.mark.parametrize(
    ("cause", "kind", "message"),
    [
        (UNTRUSTED, FailureKind.CERTIFICATE, "the provider's certificate can't be verified"),
        (ConnectionRefusedError(), FailureKind.CONNECTION, "the provider can't be reached"),
    ],
)
def test_a_connection_that_fails_says_whether_the_certificate_is_to_blame(cause: Exception, kind: FailureKind, message: str):
    raised = RuntimeError("litellm.APIConnectionError: Connection error")
    raised.__cause__ = httpx.ConnectError("[SSL] all of it")
    raised.__cause__.__cause__ = cause
    found = failure_of(raised, exchanges.watch())
    assert (found.kind, found.status, found.message, found.reached) == (kind, 503, message, False)
