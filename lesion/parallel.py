"""Work on many pictures at once, in threads: results in order, memory for a few of them.

for row in in_order(score, pairs):
    ...

    with LARGE.use(pixels):          # in `score`: not too many large photographs at once
        ...

Threads are enough: decoders, OpenCV, NumPy, zlib and LiteRT let others run while they compute.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import Condition
from typing import TypeVar

import cv2

from lesion.console import usable_cores

PIXELS = 48_000_000  # in work at once, whatever the cores: some 30 bytes are needed for each

Item, Result = TypeVar("Item"), TypeVar("Result")


def pictures_at_once() -> int:
    """Return how many pictures are worked on: one more than cores, since some wait for a disk."""
    return usable_cores() + 1


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], ahead: int = 0
) -> Iterator[Result]:
    """Yield `work(item)` of each item, in their order, while the next ones are worked on.

    Never more than `pictures_at_once() + ahead` results and works in progress are held. Once this
    is closed, or work has raised, nothing is going on any more: what was begun is waited for.

    Args:
        work: called in several threads at once.
        items: asked for by the caller's thread, no earlier than they are worked on.
        ahead: results to have ready for a caller who is busy himself in between.
    """
    cv2.setNumThreads(1)  # as many pictures as there are cores: each one needs no second core
    items, pending = iter(items), deque()
    with ThreadPoolExecutor(pictures_at_once()) as pool:
        try:
            begun = islice(items, pictures_at_once() + ahead)
            pending.extend(pool.submit(work, item) for item in begun)
            while pending:
                result = pending.popleft().result()
                pending.extend(pool.submit(work, item) for item in islice(items, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()


class Budget:
    """What may be in use at once, such as pixels: who asks for more waits until others are done.

    Args:
        total: who asks for more than that works alone.
    """

    def __init__(self, total: int):
        self._total = self._free = total
        self._changed = Condition()

    @contextmanager
    def use(self, amount: int) -> Iterator[None]:
        """Take an amount for as long as the `with` lasts."""
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


LARGE = Budget(PIXELS)
