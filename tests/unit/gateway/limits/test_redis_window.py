"""Limits that several processes keep together, against a real redis. Times are real and short."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import Coroutine
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.limits import redis_window
from langop_model.gateway.limits.admission import RateLimitTimeoutError
from langop_model.gateway.limits.redis_lane import RedisUnavailableError
from langop_model.gateway.limits.redis_window import RedisWindow
from langop_model.gateway.limits.sliding_window import Delay, Reservation, SlidingWindow, Used
from tests.live.redis_server import RedisServer
from tests.unit.gateway.limits.processes import Process, connection

T = TypeVar("T")
SHORT = 0.6  # seconds of a minute in these tests
LONG = 20.0  # seconds; longer than anything waits here


def run(scene: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(scene)


def two(server: RedisServer, **fields: Any) -> tuple[Process, Process]:
    return Process(server, **fields), Process(server, **fields)


def test_of_the_calls_of_two_processes_exactly_the_limit_is_let_in(server: RedisServer):
    async def scene() -> int:
        processes = two(server, requests_per_minute=10)
        return sum(await asyncio.gather(*(process.let_in(15) for process in processes)))

    assert run(scene()) == 10


def test_forked_workers_of_one_parent_count_together(server: RedisServer):
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("fork")) as workers:
        let_in = list(workers.map(_let_in_by_a_worker, [(server.port, server.password)] * 3))
    assert sum(let_in) == 10


def _let_in_by_a_worker(reservation: tuple[int, str]) -> int:
    async def scene() -> int:
        return await Process(reservation, requests_per_minute=10).let_in(15)

    return run(scene())


def test_a_refused_call_is_told_at_once_when_there_is_room(server: RedisServer):
    async def scene() -> tuple[str, int, float]:
        first, second = two(server, requests_per_minute=1)
        await first.enter()
        began = time.monotonic()
        with pytest.raises(RateLimitTimeoutError) as refused:
            await second.admission.admit(None, second.admission.clock() + 30)
        return refused.value.limit, refused.value.retry_after, time.monotonic() - began

    limit, retry_after, seconds = run(scene())
    assert limit == "rateLimits.requestsPerMinute"
    assert 58 <= retry_after <= 60
    assert seconds < 30


def test_any_window_holds_the_limit_at_most(server: RedisServer):
    async def scene() -> list[float]:
        processes = two(server, requests_per_minute=2, window=SHORT)
        let_in: list[float] = []

        async def one(process: Process) -> None:
            await process.enter(LONG)
            let_in.append(time.monotonic())

        await asyncio.gather(*(one(process) for process in processes for _ in range(3)))
        return sorted(let_in)

    let_in = run(scene())
    # A millisecond or two is the clock's: the times here are those of the answers.
    assert all(later - earlier > SHORT - 0.05 for earlier, later in zip(let_in, let_in[2:], strict=False))


def test_an_unanswered_call_is_not_counted(server: RedisServer):
    """It lets another process in."""

    async def scene() -> bool:
        first, second = two(server, requests_per_minute=1)
        reservation = await first.enter()
        waiting = asyncio.create_task(second.enter(LONG + 60))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await first.settle(reservation, answered=False)
        return await waiting is not None

    assert run(scene())


def test_a_failed_answer_is_counted(server: RedisServer):
    async def scene() -> int:
        first, second = two(server, requests_per_minute=1)
        await first.settle(await first.enter())
        return await second.let_in(1)

    assert run(scene()) == 0


def test_tokens_are_exceeded_by_one_call_at_most(server: RedisServer):
    async def scene() -> int:
        processes = two(server, tokens_per_minute=100)

        async def one(process: Process) -> int:
            reservation = await process.enter(3)
            if reservation is None:
                return 0
            await asyncio.sleep(0.02)
            await process.settle(reservation, 30)
            return 30

        return sum(await asyncio.gather(*(one(process) for process in processes for _ in range(10))))

    assert 100 <= run(scene()) <= 130


def test_tokens_that_are_set_aside_count_for_every_process(server: RedisServer):
    async def scene() -> tuple[bool, bool, bool]:
        first, second = two(server, tokens_per_minute=100)
        reservation = await first.enter(tokens=80)
        too_much = await second.enter(0.1, tokens=30)
        fits = await second.enter(tokens=20)
        await first.settle(reservation, used=10)
        return too_much is None, fits is not None, await second.enter(0.1, tokens=30) is not None

    assert run(scene()) == (True, True, True)


def test_what_an_answer_costs_is_learnt_from_other_processes(server: RedisServer):
    async def scene() -> int:
        first, second = two(server, tokens_per_minute=100)
        await first.settle(await first.enter(), used=20)
        return await second.let_in(10, within=1)

    assert run(scene()) == 4  # of 20 tokens each, beside the 20 that are used


def test_never_more_calls_are_under_way_than_the_limit(server: RedisServer):
    async def scene() -> tuple[int, int]:
        processes = two(server, concurrent_requests=3)
        inside = most = done = 0

        async def one(process: Process) -> None:
            nonlocal inside, most, done
            reservation = await process.enter(LONG)
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.02)
            inside -= 1
            await process.settle(reservation)
            done += 1

        await asyncio.gather(*(one(process) for process in processes for _ in range(10)))
        return most, done

    assert run(scene()) == (3, 20)


def test_a_process_that_has_much_to_do_leaves_the_other_its_turn(server: RedisServer):
    async def scene() -> list[str]:
        busy, modest = two(server, concurrent_requests=1)
        order: list[str] = []

        async def one(process: Process, name: str) -> None:
            reservation = await process.enter(LONG)
            order.append(name)
            await asyncio.sleep(0.01)
            await process.settle(reservation)

        work = [asyncio.create_task(one(busy, "busy")) for _ in range(30)]
        await asyncio.sleep(0.1)
        await one(modest, "modest")
        for task in work:
            task.cancel()
        return order

    order = run(scene())
    assert order.count("busy") < 25


def test_a_process_that_died_gives_its_places_back(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redis_window, "LEASE", 0.4)

    async def scene() -> tuple[int, int]:
        dead, other = two(server, concurrent_requests=1, tokens_per_minute=100)
        await dead.enter(tokens=90)
        return await other.let_in(1, within=0.1), await other.let_in(1, within=2)

    assert run(scene()) == (0, 1)


def test_a_process_that_lives_keeps_its_places(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redis_window, "LEASE", 0.4)
    monkeypatch.setattr(redis_window, "LEASE_RENEWAL_INTERVAL", 0.0)

    async def scene() -> int:
        living, other = two(server, concurrent_requests=1)
        await living.enter()
        waiting = asyncio.create_task(other.let_in(1, within=1))
        while not waiting.done():
            await living.redis.beat()
            await asyncio.sleep(0.1)
        return await waiting

    assert run(scene()) == 0


def test_a_process_that_died_in_line_keeps_nobody_waiting(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redis_window, "TURN_TIMEOUT", 0.3)

    async def scene() -> int:
        first, second = two(server, concurrent_requests=1)
        reservation = await first.enter()
        dead = Process(server, concurrent_requests=1)
        await dead.window.admit("dead", None, LONG)  # looks once, and never again
        await first.settle(reservation)
        return await second.let_in(1, within=5)

    assert run(scene()) == 1


def test_a_client_that_leaves_while_redis_is_asked_holds_nothing(server: RedisServer):
    async def scene() -> list[tuple[int, ...]]:
        process = Process(server, requests_per_minute=1, concurrent_requests=1)
        held = []
        for pauses in range(50):  # each time a little later: before it is asked, meanwhile, and when it has answered
            leaving = asyncio.create_task(process.enter())
            for _ in range(pauses):
                await asyncio.sleep(0)
            if leaving.done():
                break
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            await process.told()
            await asyncio.sleep(0)  # what is to be undone is undone when the answer is there
            await process.told()
            held.append(tuple(server.client.zcard(f"langop:{{team/model}}:{key}") for key in ("requests", "in_flight")))
        return held

    held = run(scene())
    assert len(held) > 3
    assert set(held) == {(0, 0)}


def test_a_client_that_leaves_the_line_is_not_waited_for(server: RedisServer):
    async def scene() -> tuple[int, list[Any]]:
        first, second = two(server, concurrent_requests=1)
        reservation = await first.enter()
        leaving = asyncio.create_task(second.enter(LONG))
        await asyncio.sleep(0.1)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await second.told()
        await first.settle(reservation)
        return await first.let_in(1), server.client.zrange("langop:{team/model}:queue", 0, -1)

    assert run(scene()) == (1, [])


@pytest.mark.parametrize("other", ["team/other", "elsewhere/model"])
def test_another_model_or_one_of_another_namespace_counts_for_itself(server: RedisServer, other: str):
    async def scene() -> tuple[int, int]:
        one, another = Process(server, requests_per_minute=2), Process(server, other, requests_per_minute=3)
        return await one.let_in(5), await another.let_in(5)

    assert run(scene()) == (2, 3)


@pytest.mark.parametrize("seed", range(25))
def test_the_scripts_decide_as_the_account_in_the_process_does(server: RedisServer, seed: int):
    chance = random.Random(seed)
    limits: dict[str, Any] = {
        name: chance.randint(1, most)
        for name, most in (("requests_per_minute", 12), ("tokens_per_minute", 150), ("concurrent_requests", 5))
        if chance.random() < 0.7
    }

    async def scene() -> None:
        process, reference = Process(server, **limits), SlidingWindow(Limits(**limits))
        in_flight: list[Reservation] = []
        for number in range(40):
            if in_flight and chance.random() < 0.4:
                reservation = in_flight.pop(chance.randrange(len(in_flight)))
                used, answered = chance.choice([0, 5, 20, 60]), chance.random() < 0.7
                reference.settle(reservation, used, answered)
                await process.settle(reservation, used, answered)
                continue
            tokens = chance.choice([None, 1, 10, 50, 200])
            expected = await reference.admit(f"{seed}-{number}", tokens, 0)
            found = await process.window.admit(f"{seed}-{number}", tokens, 0)
            if isinstance(found, Reservation):
                assert isinstance(expected, Reservation), expected
                assert found.tokens == expected.tokens
                in_flight.append(found)
            else:
                assert isinstance(expected, Delay), expected
                assert (found.limit, found.certain) == (expected.limit, expected.certain)
                assert found.seconds == pytest.approx(expected.seconds, abs=1)

    run(scene())


# A redis that is unreachable.


def test_while_redis_is_down_each_process_keeps_the_limit_by_itself(server: RedisServer):
    async def scene() -> tuple[int, int]:
        processes = two(server, requests_per_minute=3)
        server.kill()
        first, second = await asyncio.gather(*(process.let_in(5) for process in processes))
        return first, second

    assert run(scene()) == (3, 3)


def test_what_a_process_had_let_in_before_counts_while_redis_is_down(server: RedisServer):
    async def scene() -> tuple[int, int]:
        process = Process(server, requests_per_minute=3)
        before = await process.let_in(2)
        server.kill()
        return before, await process.let_in(5)

    assert run(scene()) == (2, 1)


def test_a_redis_that_is_back_learns_what_was_let_in_without_it(server: RedisServer):
    async def scene() -> tuple[int, int, int]:
        first, second = two(server, requests_per_minute=10)
        before = await first.let_in(2) + await second.let_in(2)
        server.kill()
        meanwhile = await first.let_in(3)
        server.start()
        for process in (first, second):
            await process.redis.beat()
        return before, meanwhile, await first.let_in(9) + await second.let_in(9)

    assert run(scene()) == (4, 3, 3)


def test_a_restarted_redis_learns_calls_and_tokens(server: RedisServer):
    async def scene() -> tuple[bool, bool, bool]:
        first, second = two(server, concurrent_requests=2, tokens_per_minute=100)
        await first.settle(await first.enter(tokens=40), used=40)
        reservation = await first.enter(tokens=40)
        server.kill()
        server.start()
        await first.redis.beat()
        too_much = await second.enter(0.1, tokens=30)
        fits = await second.enter(tokens=20)
        places_taken = await second.enter(0.1, tokens=0) is None
        await first.settle(reservation, used=1)
        return too_much is None, fits is not None, places_taken

    assert run(scene()) == (True, True, True)


def test_a_redis_that_lost_everything_is_told_by_the_next_call(server: RedisServer):
    async def scene() -> int:
        process = Process(server, requests_per_minute=3)
        await process.let_in(2)
        server.client.flushall()
        return await process.let_in(5)

    assert run(scene()) == 1


def test_a_redis_that_does_not_answer_holds_up_one_call_only(server: RedisServer):
    async def scene() -> tuple[int, float]:
        process = Process(server, requests_per_minute=100)
        process.redis.answer_timeout = 0.5
        await process.let_in(1)
        server.pause()
        began = time.monotonic()
        let_in = await process.let_in(20, within=LONG)
        server.go_on()
        return let_in, time.monotonic() - began

    let_in, seconds = run(scene())
    assert let_in == 20
    assert seconds < 5  # twenty would take ten


def test_what_was_let_in_alone_is_told_before_the_next_call_asks(server: RedisServer):
    async def scene() -> tuple[int, int]:
        process, other = two(server, requests_per_minute=3)
        process.redis.answer_timeout = 0.2
        await other.let_in(1)
        server.pause()
        alone = await process.let_in(1)
        server.go_on()
        process.redis.listeners.clear()  # its turn in the heartbeat has not come yet
        await process.redis.beat()
        return alone, await process.let_in(5) + await other.let_in(5)

    assert run(scene()) == (1, 1)


def test_an_answer_that_came_while_the_process_was_busy_is_no_outage(server: RedisServer):
    async def scene() -> bool:
        process = Process(server, requests_per_minute=100)
        await process.let_in(1)
        process.redis.answer_timeout = 0.2
        for pauses in range(0, 12, 2):  # busy from another moment on each time
            asking = asyncio.create_task(process.enter())
            for _ in range(pauses):
                await asyncio.sleep(0)
            time.sleep(0.25)
            await asking
        return process.redis.up

    assert run(scene())


def test_a_redis_that_lets_no_script_run_is_an_outage_and_said_once(server: RedisServer, caplog: pytest.LogCaptureFixture):
    async def scene() -> int:
        process = Process(server, requests_per_minute=3)
        server.client.acl_setuser("default", commands=["-evalsha"])
        try:
            let_in = await process.let_in(5)
            for _ in range(3):
                with pytest.raises(RedisUnavailableError):
                    await process.redis.beat()
        finally:
            server.client.acl_setuser("default", commands=["+evalsha"])
        return let_in

    assert run(scene()) == 3
    assert len([record for record in caplog.records if record.name == "langop.redis"]) == 1


def test_the_heartbeat_notices_that_redis_is_back(server: RedisServer):
    async def scene() -> tuple[bool, bool]:
        process = Process(server, requests_per_minute=1)
        server.kill()
        await process.let_in(1)
        down = process.redis.up
        with pytest.raises(RedisUnavailableError):
            await process.redis.beat()
        server.start()
        await process.redis.beat()
        return down, process.redis.up

    assert run(scene()) == (False, True)


def test_an_outage_is_said_once_and_without_the_password(server: RedisServer, caplog: pytest.LogCaptureFixture):
    async def scene() -> None:
        process = Process(server, requests_per_minute=9)
        server.kill()
        await process.let_in(5)

    run(scene())
    (line,) = [record.getMessage() for record in caplog.records if record.name == "langop.redis"]
    assert "each process enforces limits and cooldowns locally" in line
    assert server.password not in line


def test_a_wrong_password_is_an_outage(server: RedisServer, caplog: pytest.LogCaptureFixture):
    async def scene() -> int:
        right, server.password = server.password, "wrong-password-4711"
        try:
            return await Process(server, requests_per_minute=3).let_in(5)
        finally:
            server.password = right

    assert run(scene()) == 3
    assert "wrong-password-4711" not in caplog.text


# The contents of redis.


def test_every_key_names_its_model_and_ends_some_day(server: RedisServer):
    async def scene() -> None:
        process = Process(server, requests_per_minute=5, tokens_per_minute=100, concurrent_requests=1)
        reservation = await process.enter(tokens=5)
        await process.enter(0.1)
        await process.settle(reservation, used=7)
        await process.enter(0.1)

    run(scene())
    keys = [key.decode() for key in server.client.scan_iter("*")]
    assert {key.rpartition(":")[0] for key in keys} == {"langop:{team/model}"}
    assert all(0 < server.client.pttl(key) <= 600_000 for key in keys)


def test_a_sum_that_redis_threw_away_is_made_anew(server: RedisServer):
    async def scene() -> tuple[bool, bool]:
        process = Process(server, tokens_per_minute=100)
        await process.settle(await process.enter(tokens=60), used=60)
        await process.enter(tokens=30)
        server.client.delete("langop:{team/model}:sums")
        return await process.enter(0.1, tokens=20) is None, await process.enter(tokens=10) is not None

    assert run(scene()) == (True, True)


# What is used.


def test_what_is_used_of_many_models_is_one_question_for_fifty(server: RedisServer):
    async def scene() -> tuple[int, list[Used], list[Used]]:
        redis = connection(server)
        windows = [RedisWindow(redis, f"team/{at}", Limits(requests_per_minute=9, tokens_per_minute=900)) for at in range(120)]
        held = await windows[0].admit("held", 30, 0)
        done = await windows[119].admit("done", 50, 0)
        assert isinstance(held, Reservation)
        assert isinstance(done, Reservation)
        windows[119].settle(done, 20, answered=True)
        await redis.flush()
        asked = 0
        run = redis.run

        async def counting(*arguments: Any) -> Any:
            nonlocal asked
            asked += 1
            return await run(*arguments)

        redis.run = counting  # type: ignore[method-assign, assignment]
        together = await RedisWindow.used_together(windows)
        other = connection(server)
        elsewhere = await RedisWindow.used_together([RedisWindow(other, f"team/{at}", Limits(9)) for at in (0, 119, 1)])
        return asked, together, elsewhere

    asked, together, elsewhere = run(scene())
    assert asked == 3
    assert together == [Used(1, 30, 1), *[Used(0, 0, 0)] * 118, Used(1, 20, 0)]
    assert elsewhere == [Used(1, 30, 1), Used(1, 20, 0), Used(0, 0, 0)]


def test_what_is_used_leaves_out_what_is_older_than_the_window(server: RedisServer):
    async def scene() -> tuple[list[Used], list[Used]]:
        process = Process(server, window=SHORT, requests_per_minute=9, tokens_per_minute=900)
        await process.settle(await process.enter(tokens=30), used=20)
        before = await RedisWindow.used_together([process.window])
        await asyncio.sleep(SHORT + 0.1)
        return before, await RedisWindow.used_together([process.window])

    before, after = run(scene())
    assert (before, after) == ([Used(1, 20, 0)], [Used(0, 0, 0)])


def test_sums_that_redis_has_evicted_are_added_up_again(server: RedisServer):
    async def scene() -> tuple[list[Used], list[Used]]:
        process = Process(server, tokens_per_minute=900)
        await process.settle(await process.enter(tokens=30), used=20)
        assert await process.enter(tokens=10)
        before = await RedisWindow.used_together([process.window])
        await process.redis.client.delete(process.window.keys[redis_window.KEYS.index("sums")])
        return before, await RedisWindow.used_together([process.window])

    before, after = run(scene())
    assert before == after == [Used(0, 20 + 10, 1)]


def test_what_is_used_without_redis_is_what_this_process_uses(server: RedisServer):
    async def scene() -> list[Used]:
        process = Process(server, requests_per_minute=9)
        assert await process.enter()
        process.redis.up = False
        return await RedisWindow.used_together([process.window])

    assert run(scene()) == [Used(1, 0, 1)]
