"""A limit is divided so that nothing is lost and nothing is added."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer.limit_split import split_limit

limits = st.integers(min_value=0, max_value=2**31 - 1)
weights = st.lists(st.integers(min_value=0, max_value=2**31 - 1), min_size=1, max_size=30)


@given(limits, weights)
def test_the_shares_add_up_to_the_limit(limit: int, given_weights: list[int]):
    assert sum(split_limit(limit, given_weights)) == limit


@given(limits, weights.filter(any))
def test_a_share_is_less_than_one_away_from_its_quota(limit: int, given_weights: list[int]):
    quotas = [Fraction(limit * weight, sum(given_weights)) for weight in given_weights]
    assert all(abs(share - quota) < 1 for share, quota in zip(split_limit(limit, given_weights), quotas, strict=True))


@given(limits, st.integers(min_value=0, max_value=1000), st.integers(min_value=1, max_value=30))
def test_equal_weights_get_shares_that_differ_by_one_at_most(limit: int, weight: int, count: int):
    shares = split_limit(limit, [weight] * count)
    assert max(shares) - min(shares) <= 1


@given(limits, weights.filter(any))
def test_the_weight_0_gets_nothing(limit: int, given_weights: list[int]):
    shares = split_limit(limit, given_weights)
    assert not any(share for share, weight in zip(shares, given_weights, strict=True) if weight == 0)


@given(limits, weights.filter(any))
def test_a_heavier_endpoint_never_gets_less(limit: int, given_weights: list[int]):
    shares = [share for _, share in sorted(zip(given_weights, split_limit(limit, given_weights), strict=True))]
    assert shares == sorted(shares)


@given(limits, weights)
def test_the_shares_are_whole_and_none_is_negative(limit: int, given_weights: list[int]):
    assert all(type(share) is int and share >= 0 for share in split_limit(limit, given_weights))


@pytest.mark.parametrize(
    ("limit", "given_weights", "shares"),
    [
        (101, [1, 1], [51, 50]),
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [5, 5, 5], [1, 1, 0]),
        (10, [75, 25], [8, 2]),
        (1, [1, 1], [1, 0]),
    ],
)
def test_what_is_left_over_goes_to_the_first_of_equals(limit: int, given_weights: list[int], shares: list[int]):
    assert split_limit(limit, given_weights) == shares


def test_what_is_left_over_goes_to_the_largest_fraction_first():
    assert split_limit(10, [1, 1, 4]) == [2, 2, 6]  # quotas 1.67, 1.67, 6.67: both ones that are left go to the first two


def test_weights_that_are_all_0_count_as_equal():
    assert split_limit(9, [0, 0, 0]) == [3, 3, 3]


def test_one_endpoint_gets_everything():
    assert split_limit(7, [3]) == [7]
