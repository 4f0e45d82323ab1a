"""What `fit` takes on every backend of Keras: batches in a given order, read ahead by threads.

class Numbers(Batches):
    def load(self, epoch, index):
        return x[index], y[index]

model.fit(Numbers(len(x), batch_size=8), shuffle=False)
"""

from itertools import islice
from math import gcd
from threading import Lock

import keras
import numpy as np

from lesion.parallel import in_order
from lesion.processes import WHOLE, Share, check_batch

READY = 2  # batches, while the network is busy with another one


class Batches(keras.utils.PyDataset):
    """Batches of what `load` returns, in the order of `order`; the last one may be smaller.

    Batch i of epoch e is a function of (e, i) alone, whatever was asked for before: the number of
    threads, and a training that goes on where another one stopped, change nothing.

    Of several processes each reads its own part of a batch, and side by side the parts are the
    batch of one process. The last, smaller batch of an epoch is taken so often that it can be
    divided equally, which leaves its mean loss, and the statistics in it, as they are.

    Args:
        count: how many there are to load.
        batch_size: of all processes together.
        share: which part of each batch is read here.

    Attributes:
        epoch: number of the epoch, from 0, that the next pass will be; each pass adds one.

    Raises:
        InputError: batches that cannot be divided among the devices of the share.
    """

    def __init__(self, count: int, batch_size: int, share: Share = WHOLE):
        super().__init__()
        check_batch(batch_size, share.devices)
        self.count, self.batch_size, self.share = count, batch_size, share
        self.epoch = self._passing = 0
        # TensorFlow asks in a thread, which may still be at it when another pass begins.
        self._turn, self._coming, self._next = Lock(), None, None

    def load(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of one picture; called by several threads at once."""
        raise NotImplementedError

    def order(self, epoch: int) -> np.ndarray:
        """Return the indices of an epoch, in the order in which they are taken."""
        return np.arange(self.count)

    def __len__(self):
        return -(-self.count // self.batch_size)

    def __iter__(self):
        """Pass once over all batches of an epoch."""
        self.on_epoch_begin()
        return (self[number] for number in range(len(self)))

    def on_epoch_begin(self):
        """Begin a pass; called by Keras."""
        self._passing, self.epoch = self.epoch, self.epoch + 1

    def __getitem__(self, number):
        """Return batch `number` of this pass, or the part of it that is read here: (x, y)."""
        with self._turn:
            wanted = self._passing, number
            if wanted != self._next:
                self._begin(*wanted)
            self._next = None  # until all went well
            size = len(self._part(number))
            x, y = zip(*islice(self._coming, size), strict=True)
            self._next = wanted[0], number + 1
        return np.stack(x), np.stack(y)

    def _begin(self, epoch, number):
        """Read from a batch on."""
        if self._coming:
            self._coming.close()
        self._order = self.order(epoch)
        indices = (index for n in range(number, len(self)) for index in self._part(n))
        ahead = READY * self.batch_size // self.share.processes
        self._coming = in_order(lambda index: self.load(epoch, index), indices, ahead)

    def _part(self, number):
        """Return the indices of what is read here of a batch."""
        batch = self._order[number * self.batch_size :][: self.batch_size]
        several = np.tile(batch, self.copies(len(batch)))
        size = len(several) // self.share.processes
        return several[self.share.process * size :][:size]

    def copies(self, size: int) -> int:
        """Return how often a batch of this size is taken to divide it among the devices."""
        return self.share.devices // gcd(size, self.share.devices)


class WeightedBatches(Batches):
    """Batches that count each picture once, also of a last one that is taken several times.

    Then they are (x, y, weights), such that the mean of weighted values over all that is read, and
    their weighted mean, both are the mean over the pictures.
    """

    def __getitem__(self, number):
        x, y = super().__getitem__(number)
        last = self.count % self.batch_size
        copies = self.copies(last)
        if copies == 1:
            return x, y
        weight = (self.count + (copies - 1) * last) / self.count
        if number == len(self) - 1:
            weight /= copies
        return x, y, np.full(len(x), weight, np.float32)
