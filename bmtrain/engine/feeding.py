"""Where the compiled steps get their features from: all on the device, or block by block.

A block is some steps' examples in the epoch's order. What is held is one block that lasts.
What is streamed is gathered from its file by a thread while the steps of the block before run.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bmtrain.data.raw.streamed_rows import Features, OrderedReader, StreamedRows
from bmtrain.engine.placement import SingleDevice

Order = NDArray[np.int32]


class Feed(Protocol):
    """The features of the training examples, for steps that run many at a time."""

    #: Steps that one block serves; every multiple of it begins another.
    steps_per_block: int

    def block(self, order: Order, number: int) -> tf.Tensor:
        """Block ``number`` of the epoch in ``order``; all have the same shape and dtype."""
        ...

    def blank(self) -> tf.Tensor:
        """A block to compile with."""
        ...

    def batch(self, block: tf.Tensor, numbers: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """Inside a compiled step: the features of the examples ``numbers``.

        ``position``: where in the block they begin, if it is in the epoch's order.
        """
        ...

    def close(self) -> None:
        """No more blocks are wanted."""
        ...


def feed_of(
    features: Features, placement: SingleDevice, *, batch_size: int, steps_per_epoch: int
) -> Feed:
    """The feed that suits where the features are."""
    if isinstance(features, StreamedRows):
        return StreamedFeed(features, placement, batch_size, steps_per_epoch)
    return ResidentFeed(features, placement, steps_per_epoch)


class ResidentFeed:
    """All features on the device; a batch is gathered by the examples' numbers."""

    def __init__(
        self, features: NDArray[np.generic], placement: SingleDevice, steps_per_epoch: int
    ) -> None:
        self.steps_per_block = steps_per_epoch
        self._features = placement.put(features)

    def block(self, order: Order, number: int) -> tf.Tensor:
        """All of them."""
        del order, number
        return self._features

    def blank(self) -> tf.Tensor:
        """All of them, too."""
        return self._features

    def batch(self, block: tf.Tensor, numbers: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """Those of the examples ``numbers``."""
        del position
        return tf.gather(block, numbers)

    def close(self) -> None:
        """Nothing to do."""


class StreamedFeed:
    """Features that stay in their file; a block is gathered while the one before is used.

    A block has whole batches and always the same shape, so that nothing is compiled twice; the
    last of an epoch ends in rows that no step looks at.
    """

    def __init__(
        self,
        features: StreamedRows,
        placement: SingleDevice,
        batch_size: int,
        steps_per_epoch: int,
    ) -> None:
        steps = features.rows_at_once(batch_size) // batch_size
        self.steps_per_block = min(steps, steps_per_epoch)
        self._reader = OrderedReader(features)
        self._placement = placement
        self._num_rows = self.steps_per_block * batch_size
        self._num_blocks = -(-steps_per_epoch // self.steps_per_block)
        shape = (self._num_rows, *features.shape[1:])
        self._buffers = [np.zeros(shape, features.dtype) for _ in range(2)]
        self._thread = ThreadPoolExecutor(1, "bmtrain-feed")
        self._order: Order | None = None
        self._ahead: tuple[int, Future[None]] | None = None
        self._held: tuple[int, tf.Tensor] | None = None

    def block(self, order: Order, number: int) -> tf.Tensor:
        """Block ``number``, when it is there; the thread goes on with the next.

        Whatever went wrong in the thread is raised here. Nothing may still compute with
        the block that was given before.
        """
        if self._order is not order:
            self._wait()
            self._order, self._held = order, None
        if self._held is None or self._held[0] != number:
            if self._ahead is None or self._ahead[0] != number:
                self._wait()
                self._gather(order, number)
            self._wait()
            self._held = number, self._placement.put(self._buffers[number % 2])
            if number + 1 < self._num_blocks:
                self._gather(order, number + 1)
        return self._held[1]

    def blank(self) -> tf.Tensor:
        """Zeros."""
        return self._placement.put(np.zeros_like(self._buffers[0]))

    def batch(self, block: tf.Tensor, numbers: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """The rows from ``position`` on: the block is in the epoch's order already."""
        # A slice would say the same; XLA makes ten times more work of it on a CPU.
        return tf.gather(block, position + tf.range(numbers.shape[0], dtype=position.dtype))

    def close(self) -> None:
        """Wait for what the thread is doing, and end it."""
        self._thread.shutdown(cancel_futures=True)

    def _gather(self, order: Order, number: int) -> None:
        into, start = self._buffers[number % 2], number * self._num_rows
        self._ahead = number, self._thread.submit(self._reader.read_into, into, order, start)

    def _wait(self) -> None:
        if self._ahead is not None:
            (_, gathered), self._ahead = self._ahead, None
            gathered.result()
