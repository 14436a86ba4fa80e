"""Looking at what is mounted without ever waiting: a look at a network mount whose server is gone does not return."""

from __future__ import annotations

import time
from collections.abc import Callable

from langop_model.launch import mounts
from langop_model.launch.background_call import ForkedCall
from langop_model.launch.file_watcher import FileWatcher, Mark

SLOW = 10.0  # seconds after which a look that has not returned is told

Tell = Callable[[list[str], float], None]


class MountLooks:
    """Looks at what a watcher watches: here, or in a forked process where something of it is on a network mount.

    `tell` gets its paths, and the seconds, when a look takes longer than SLOW: once for each look.
    """

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.looking: ForkedCall[list[Mark]] | None = None
        self.told = False

    def changed(self, watch: FileWatcher) -> bool:
        """Whether `watch` has noticed a change, by a look that is over. One that does not return is the only one."""
        if self.looking is None:
            if not mounts.on_network(watch.paths):
                return watch.changed()
            self.looking, self.told = ForkedCall(watch.look, ChildProcessError, repeats=False), False
            return False
        if not self.looking.done:
            if not self.told and time.monotonic() - self.looking.began > SLOW:
                self.told = True
                self.tell(watch.paths, SLOW)
            return False
        looking, self.looking = self.looking, None
        try:
            return watch.compare(looking.result())
        except ChildProcessError:  # it was killed: there is another look in a moment
            return False
