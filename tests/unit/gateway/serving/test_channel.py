"""Messages between the supervisor and its workers."""

from __future__ import annotations

from langop_model.gateway.serving.channel import Channel


def test_words_arrive_with_their_text_in_order():
    ours, theirs = Channel.pair()
    theirs.send("failed", "two\nlines, \u00e9")
    theirs.send("ready")
    assert list(ours.receive()) == [("failed", "two\nlines, \u00e9"), ("ready", "")]


def test_where_nothing_was_said_nothing_is_waited_for():
    ours, _theirs = Channel.pair()
    assert list(ours.receive()) == []
    assert not ours.closed


def test_a_word_that_arrives_in_parts_is_one_word():
    ours, theirs = Channel.pair()
    theirs.end.sendall(b'["re')
    assert list(ours.receive()) == []
    theirs.end.sendall(b'ady", ""]\n')
    assert list(ours.receive()) == [("ready", "")]


def test_what_was_said_before_the_end_is_still_heard():
    ours, theirs = Channel.pair()
    theirs.send("failed", "why")
    theirs.close()
    assert list(ours.receive()) == [("failed", "why")]
    assert ours.closed


def test_to_nobody_a_word_is_no_error():
    ours, theirs = Channel.pair()
    theirs.close()
    ours.send("drain")
