"""The id of a request."""

from __future__ import annotations

import os
import uuid

from langop_model.gateway import call_ids


def test_it_is_a_random_uuid():
    ids = {call_ids.new() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(str(uuid.UUID(each)) == each and uuid.UUID(each).version == 4 for each in ids)
    assert {uuid.UUID(each).variant for each in ids} == {uuid.RFC_4122}


def test_a_forked_process_has_others():
    call_ids.new()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, call_ids.new().encode())
        os._exit(0)
    os.waitpid(child, 0)
    own = {call_ids.new() for _ in range(2 * call_ids.AT_ONCE)}
    assert os.read(reader, 100).decode() not in own
    os.close(reader)
    os.close(writer)
