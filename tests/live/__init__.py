"""Tests that start the gateway as the container does, in front of a provider that records what it is asked."""

import pytest

pytest.register_assert_rewrite("tests.live.observed")
