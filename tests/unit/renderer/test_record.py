"""Records: values with names, in the place of NamedTuples."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from langop_model.renderer.record import Record


class Place(Record):
    file: str
    line: int = 1


def test_values_are_given_in_order_or_by_name():
    assert Place("a.yaml", 3) == Place(line=3, file="a.yaml")


def test_a_field_that_is_not_given_has_its_default():
    assert Place("a.yaml").line == 1


@pytest.mark.parametrize(
    ("values", "named", "said"),
    [
        ((), {}, "Place needs file"),
        (("a", 1, 2), {}, r"Place\(file, line\) got 3 values"),
        (("a",), {"file": "b"}, r"got 1 values and \['file'\]"),
        (("a",), {"row": 1}, r"got 1 values and \['row'\]"),
    ],
)
def test_what_no_field_holds_is_refused(values: tuple[Any, ...], named: dict[str, Any], said: str):
    with pytest.raises(TypeError, match=said):
        Place(*values, **named)


def test_a_field_can_not_be_assigned():
    with pytest.raises(AttributeError, match="line can't be changed"):
        setattr(Place("a.yaml"), "line", 2)  # noqa: B010 - a plain assignment is refused by the type checker


def test_another_record_has_the_other_values():
    place = Place("a.yaml", 3)
    assert place.replace(line=4) == Place("a.yaml", 4)
    assert place == Place("a.yaml", 3)


def test_a_replaced_name_must_be_a_field():
    with pytest.raises(TypeError, match="row"):
        Place("a.yaml").replace(row=1)


def test_equal_records_are_one_in_a_set():
    assert {Place("a"), Place("a", 1), Place("b")} == {Place("a"), Place("b")}


def test_records_of_two_classes_are_never_equal():
    class Mark(Record):
        file: str
        line: int = 1

    assert Place("a") != Mark("a")


def test_it_shows_its_fields():
    assert repr(Place("a.yaml", 3)) == "Place(file='a.yaml', line=3)"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda place: pickle.loads(pickle.dumps(place))], ids=["copy", "process"])
def test_it_can_be_copied_and_sent_to_a_process(copied: Any):
    assert copied(Place("a.yaml", 3)) == Place("a.yaml", 3)
