"""Every provider through the translator: the tests of the wire, by the other way."""

from __future__ import annotations

from tests.wire.test_chat import (  # noqa: F401 - pytest collects them here, with this folder's wire
    test_a_chat_is_answered,
    test_a_streamed_chat_is_answered_in_parts,
    test_without_an_endpoint_the_provider_is_asked_at_the_address_of_the_catalogue,
)
from tests.wire.test_credentials import *  # noqa: F403
from tests.wire.test_embeddings import *  # noqa: F403
from tests.wire.test_fields import *  # noqa: F403
