"""tools/scale/simulation.py: limits over many replicas, before, during and after an outage of their redis."""

from __future__ import annotations

from tools.scale.simulation import Scenario, run

OUTAGE = (70.0, 90.0)


def test_replicas_that_share_a_redis_keep_one_limit():
    result = run(Scenario(replicas=10, offered=5.0, limit=100, seconds=130))
    assert result.offered > 500
    assert result.most_in_a_minute() == 100
    assert result.alone == 0


def test_without_it_each_replica_keeps_the_limit_for_itself():
    """All that is offered passes, as long as no replica has more than the limit of its own."""
    result = run(Scenario(replicas=10, offered=5.0, limit=100, seconds=130, outage=(0.0, 130.0)))
    assert len(result.admitted) == result.offered
    alone = run(Scenario(replicas=2, offered=50.0, limit=100, seconds=130, outage=(0.0, 130.0)))
    assert alone.most_in_a_minute() == 200


def test_when_it_is_back_it_counts_what_was_let_through_meanwhile():
    scenario = Scenario(replicas=10, offered=5.0, limit=100, seconds=260, outage=OUTAGE)
    result = run(scenario)
    down, back = OUTAGE
    meanwhile = [at for at in result.admitted if down <= at < back]
    assert len(meanwhile) > 50
    assert result.most_in_a_minute(since=down) <= 100 + len(meanwhile)
    assert result.most_in_a_minute(since=back + 61) == 100


def test_a_replica_gives_a_dead_redis_up_once_and_asks_no_more():
    result = run(Scenario(replicas=10, offered=5.0, limit=100, seconds=130, outage=OUTAGE))
    assert 1 <= result.times_down <= 10


def test_a_redis_that_is_asked_too_often_is_given_up():
    enough = run(Scenario(replicas=10, offered=400.0, limit=10**6, seconds=5, service=0.001))
    too_often = run(Scenario(replicas=10, offered=2000.0, limit=10**6, seconds=5, service=0.001))
    assert enough.alone == 0
    assert too_often.alone > 0
