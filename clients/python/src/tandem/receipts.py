"""Keeps the receipts of what a session wrote, and makes few of many."""

import threading
from collections.abc import Callable, Iterable

#: The most receipts that a query takes.
MOST_SHOWN = 32
#: Who has written so often without reading settles before the next command.
MOST_KEPT = 1024


class Receipts:
    """Receipts in the order in which they came. Any thread may do anything at any time."""

    def __init__(self, receipts: Iterable[str]) -> None:
        #: All of them. It is replaced, never changed, so reading it takes no lock.
        self.kept: tuple[str, ...] = tuple(receipts)
        self._adding = threading.Lock()
        self._settling = threading.Lock()

    def keep(self, receipt: str) -> None:
        """Add one."""
        with self._adding:
            self.kept += (receipt,)

    def settle(
        self, room: int, position_of: Callable[[tuple[str, ...]], str], patience: float
    ) -> tuple[str, ...] | None:
        """Put the position that reflects the oldest receipts in their place until there is `room`.

        Gives what is kept then; one is always left, whatever the room. One thread does it at a time:
        None if another was still at it after `patience` seconds.
        """
        if not self._settling.acquire(timeout=max(patience, 0)):
            return None
        try:
            while len(kept := self.kept) > max(room, 1):
                oldest = kept[:MOST_SHOWN]
                position = position_of(oldest)
                with self._adding:
                    # Others may have added some, at the end.
                    self.kept = (position, *self.kept[len(oldest) :])
            return kept
        finally:
            self._settling.release()
