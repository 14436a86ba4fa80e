"""The id of a request."""

from __future__ import annotations

import uuid

from langop_model.gateway import call_ids


def test_it_is_a_random_uuid():
    ids = {call_ids.new() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(str(uuid.UUID(each)) == each and uuid.UUID(each).version == 4 for each in ids)
    assert {uuid.UUID(each).variant for each in ids} == {uuid.RFC_4122}
