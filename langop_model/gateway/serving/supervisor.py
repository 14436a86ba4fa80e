"""The supervisor: it forks workers that share one listening socket, replaces those that die, and rolls changes out.

A worker that dies is replaced by one that serves the same configuration, whatever has been written since. A changed
configuration gets workers of its own; when all of them are ready the previous generation retires. At most two generations live
at a time, which is what a memory limit has to allow for.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable

from langop_model.gateway.serving.child_process import ChildProcess, how_it_ended, reap
from langop_model.gateway.serving.collaborators import Changes, Companion, Environment, Serve

POLL = 1.0  # seconds between two looks at the mounted files
START_TIMEOUT = 120.0  # seconds until a worker that is not ready is given up; it needs one, on a slow machine three
RETIRE_TIMEOUT = 600.0  # seconds for the last answers of a previous generation
DEATHS = 5  # for each worker within DEATHS_WINDOW seconds: more are no accident
DEATHS_WINDOW = 60.0


class LaunchError(Exception):
    """No worker serves: the first ones could not load the configuration."""


class CrashLoopError(Exception):
    """Workers start and die, again and again."""


class Generation:
    """The workers of one configuration; `serve` is what each of them does. It has none before it has begun."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.made_at = time.monotonic()
        self.workers: list[ChildProcess] = []

    @property
    def ready(self) -> bool:
        """Whether all its workers serve."""
        return bool(self.workers) and all(worker.ready for worker in self.workers)


class Supervisor:
    """`prepare` returns what workers of the configuration do that is written now; `opened` is called when the first are ready.

    `publish` gets the number of workers that serve, and of those that have replaced dead ones.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - everything that it brings together
        self,
        listener: socket.socket,
        prepare: Callable[[Environment], Serve],
        workers: int,
        changes: Changes | None,
        opened: Callable[[], None],
        companion: Companion | None = None,
        publish: Callable[[int, int], None] = lambda workers, restarts: None,  # noqa: ARG005 - nobody wants to know
    ) -> None:
        self.companion = companion
        self.publish = publish
        self.restarts = 0  # of workers that died
        self.listener = listener
        self.prepare = prepare
        self.number = workers
        self.changes = changes
        self.opened = opened
        self.serving: Generation | None = None
        self.coming: Generation | None = None
        self.retiring: list[ChildProcess] = []
        self.retired_at = 0.0
        self.looked_at = 0.0
        self.deaths: deque[float] = deque(maxlen=DEATHS * workers)
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self.signals, waker = socket.socketpair()
        for end in (self.signals, waker):
            end.setblocking(False)
        self.waker = waker
        self.selector.register(self.signals, selectors.EVENT_READ)

    def run(self, environment: Environment) -> int:
        """Serve until told to stop, and return the exit code: 0 when every answer was finished, 128 + n when signal n cut them.

        Raises what `prepare` raises, LaunchError when the first workers do not start, and CrashLoopError when those that did do
        not stay.
        """
        signal.set_wakeup_fd(self.waker.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        try:
            self.coming = Generation(self.prepare(environment))
            self._begin(self.coming)
            while self._workers() or not self.stopping:
                self.selector.select(POLL)
                for worker in self._workers():  # before signals: one that has just become ready may have requests already
                    self._read_messages(worker)
                cut = self._handle_signals()
                if cut:
                    return 128 + cut
                self._reap()
                if not self.stopping:
                    self._advance_rollout()
                    if self.companion is not None:
                        self.companion.look()
                    serving = self.serving.workers if self.serving is not None else []
                    self.publish(sum(worker.ready for worker in serving), self.restarts)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):  # Python, while it ends, would restore what kills this process
                signal.signal(number, signal.SIG_IGN)
            self._end_all()
            if self.companion is not None:
                self.companion.stop()
            signal.set_wakeup_fd(-1)  # its socket goes with this object
        return 0

    def _begin(self, generation: Generation) -> None:
        for _ in range(self.number):
            generation.workers.append(self._fork(generation.serve))

    def _fork(self, serve: Serve) -> ChildProcess:
        worker = ChildProcess(serve, [each.channel for each in self._workers()])
        self.selector.register(worker.channel, selectors.EVENT_READ, worker)
        return worker

    def _workers(self) -> list[ChildProcess]:
        generations = [generation for generation in (self.serving, self.coming) if generation]
        return [*self.retiring, *(worker for generation in generations for worker in generation.workers)]

    def _handle_signals(self) -> int:
        """Do what signals ask for, and return the one that came a second time."""
        with contextlib.suppress(BlockingIOError):
            for number in self.signals.recv(4096):
                if number in (signal.SIGTERM, signal.SIGINT):
                    if self.stopping:
                        return number
                    self._stop()
        return 0

    def _stop(self) -> None:
        """Accept nothing any more, and let the workers finish what they began."""
        self.stopping = True
        self.listener.close()
        for worker in self._workers():
            if worker.ready:
                worker.channel.send("drain")
            else:
                worker.kill()

    def _read_messages(self, worker: ChildProcess) -> None:
        for word, text in worker.channel.receive():
            worker.ready = worker.ready or word == "ready"
            worker.reason = text if word == "failed" else worker.reason
            if word not in ("ready", "failed") and self.companion is not None:
                self.companion.heard(word, text)
        if worker.channel.closed and worker.channel.fileno() in self.selector.get_map():
            self.selector.unregister(worker.channel)  # its end follows, and SIGCHLD with it

    def _reap(self) -> None:
        ended = dict(reap())
        pids = {worker.pid for worker in self._workers()}
        for pid in ended.keys() - pids if self.companion is not None else ():
            self.companion.ended(pid, ended[pid])  # type: ignore[union-attr]
        for worker in self._workers():
            if worker.pid in ended:
                self._read_messages(worker)
                self._remove(worker, how_it_ended(ended[worker.pid]))

    def _remove(self, worker: ChildProcess, how: str) -> None:
        worker.channel.close()
        if self.companion is not None:
            self.companion.worker_ended(worker.pid)
        if worker in self.retiring:
            self.retiring.remove(worker)
        elif self.coming and worker in self.coming.workers:
            self.coming.workers.remove(worker)
            if worker.ready:  # it has served, while another one of its generation starts
                self._replace(self.coming, worker.reason or how)
            else:
                self._give_up(worker.reason or how)
        elif self.serving and worker in self.serving.workers:
            self.serving.workers.remove(worker)
            self._replace(self.serving, worker.reason or how)

    def _give_up(self, reason: str) -> None:
        """The coming generation did not start: the serving one stays."""
        if self.stopping:
            return
        if self.serving is None:
            raise LaunchError(reason)
        if self.coming is not None:
            self._retire(self.coming)
            self.coming = None
        if self.companion is not None:
            self.companion.failed()
        if self.changes:
            self.changes.failed(reason)

    def _replace(self, generation: Generation, how: str) -> None:
        if self.stopping:
            return
        now = time.monotonic()
        self.deaths.append(now)
        if len(self.deaths) == self.deaths.maxlen and now - self.deaths[0] < DEATHS_WINDOW:
            raise CrashLoopError(how)
        if self.changes:
            self.changes.died(how)
        self.restarts += 1
        generation.workers.append(self._fork(generation.serve))

    def _advance_rollout(self) -> None:
        """Let the coming generation take over when it is ready; look for changes when none is in progress."""
        now = time.monotonic()
        if self.coming is not None:
            if self.coming.ready:
                self._take_over(self.coming)
            elif not self.coming.workers:
                self._begin_when_possible(self.coming, now)
            elif any(not worker.ready and now - worker.began > START_TIMEOUT for worker in self.coming.workers):
                self._give_up(f"not ready within {START_TIMEOUT:.0f} seconds")
        elif self.retiring:
            for worker in self.retiring if now - self.retired_at > RETIRE_TIMEOUT else ():
                worker.kill()
        elif self.changes and now - self.looked_at >= POLL:
            self.looked_at = now
            if self.companion is not None:
                self.companion.settled()
            environment = self.changes.next()
            if environment is not None:
                self._change(environment)

    def _change(self, environment: Environment) -> None:
        """Prepare for a changed configuration; whatever is wrong with it, the serving one stays."""
        try:
            self.coming = Generation(self.prepare(environment))
        except Exception as problem:  # noqa: BLE001
            self._give_up(f"{type(problem).__name__}: {problem}")
        else:
            self._begin_when_possible(self.coming, self.coming.made_at)

    def _begin_when_possible(self, generation: Generation, now: float) -> None:
        """Start workers when what they need answers: they take requests at once, which the serving ones answer until then."""
        if self.companion is None or self.companion.ready:
            self._begin(generation)
        elif now - generation.made_at > START_TIMEOUT:
            self._give_up(f"the translator was not ready within {START_TIMEOUT:.0f} seconds")

    def _take_over(self, generation: Generation) -> None:
        previous, self.serving, self.coming = self.serving, generation, None
        if previous is None:
            self.opened()
            return
        self._retire(previous)
        if self.companion is not None:
            self.companion.took_effect()
        if self.changes:
            self.changes.took_effect()

    def _retire(self, generation: Generation) -> None:
        """Let its workers finish their answers; one that is not ready has none."""
        self.retired_at = time.monotonic()
        self.retiring += generation.workers
        for worker in generation.workers:
            if worker.ready:
                worker.channel.send("retire")
            else:
                worker.kill()

    def _end_all(self) -> None:
        """Leave no child behind, whatever happened."""
        for worker in self._workers():
            worker.kill()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(worker.pid, 0)
