"""Features that stay in their file: the same bits as resident ones, and nothing compiled twice."""

from dataclasses import replace

import numpy as np
import pytest

from bmtrain.data.examples.dataset import Dataset, Split
from bmtrain.data.raw import streamed_rows
from bmtrain.data.raw.streamed_rows import StreamedRows
from bmtrain.data.splits.order import epoch_order
from tests.file_rows import saved_rows

NUM_EXAMPLES, BATCH_SIZE = 53, 8  # six full steps and a short one


@pytest.fixture
def streamed(tmp_path, monkeypatch):
    """A data set with its splits in files; blocks of two steps of float32 (8, 4)."""
    monkeypatch.setattr(streamed_rows, "STREAM_BYTES", 2 * BATCH_SIZE * 4 * 4)

    def make(data):
        splits = {}
        for name, split in data.splits.items():
            file = saved_rows(tmp_path / f"{name}.npy", split.features)
            splits[name] = replace(split, features=StreamedRows(file, file.dtype))
        return Dataset(splits, data.facts)

    return make


@pytest.fixture
def pair(harness, experiment, dataset, random, streamed):
    """(mode, steps_per_call) -> two harnesses of one experiment, resident and streamed."""
    x = random.normal(size=(NUM_EXAMPLES, 4)).astype(np.float32)
    labels = (x[:, 0] > 0).astype(np.int32)

    def make(mode="graph", steps_per_call="auto"):
        config = experiment(
            {"type": "dense", "units": 5, "activation": "relu"},
            {"type": "batch_normalization"},
            {"type": "dropout", "rate": 0.4},
            {"type": "dense", "units": 2, "activation": "softmax"},
            loss={"name": "sparse_categorical_crossentropy"},
            metrics=["accuracy"],
            optimizer={"name": "adam"},
            regularization={"l2_lambda": 0.5},
            training={"epochs": 3, "batch_size": BATCH_SIZE, "steps_per_call": steps_per_call},
        )
        data = dataset(x, labels, validation=(x[:11], labels[:11]))
        return [harness(config, one, mode=mode) for one in (data, streamed(data))]

    return make


@pytest.mark.parametrize(
    ("mode", "steps_per_call"),
    [
        pytest.param("graph", 1, marks=pytest.mark.long),
        ("graph", 3),
        pytest.param("xla", 1000, marks=pytest.mark.long),
    ],
)
def test_streamed_training_is_resident_training_to_the_bit(pair, mode, steps_per_call):
    resident, streamed = pair(mode, steps_per_call)
    expected = [(epoch.train, epoch.validation) for epoch in resident.train()]
    assert [(epoch.train, epoch.validation) for epoch in streamed.train()] == expected
    for name, value in streamed.weights().items():
        assert value.tobytes() == resident.weights()[name].tobytes(), name
    assert streamed.steps.trace_counts == {"full": 1, "short": 1}


def test_blocks_of_whole_batches_serve_an_epoch(pair):
    _, streamed = pair()
    feed = streamed.steps._feed
    assert feed.steps_per_block == 2
    x = streamed.loop._dataset.splits["train"].features[:]
    order = epoch_order(NUM_EXAMPLES, seed=0, epoch=0)
    seen = np.concatenate([feed.block(order, number).numpy() for number in range(4)])
    np.testing.assert_array_equal(seen[:NUM_EXAMPLES], x[order])
    assert len(seen) == 64  # the last block is filled up: all are of one shape


def test_an_epoch_can_begin_in_any_block(pair):
    """As where a run is gone on with; and another order is never taken for the one before."""
    _, streamed = pair()
    feed = streamed.steps._feed
    x = streamed.loop._dataset.splits["train"].features[:]
    for epoch, number in ((0, 2), (1, 2), (1, 0), (1, 1), (0, 3)):
        order = epoch_order(NUM_EXAMPLES, seed=0, epoch=epoch)
        wanted = x[order[16 * number : 16 * (number + 1)]]
        np.testing.assert_array_equal(feed.block(order, number).numpy()[: len(wanted)], wanted)


def test_what_fails_in_the_thread_ends_the_training(pair, monkeypatch):
    _, streamed = pair("graph", 2)
    calls = []

    def fail(self, block, which):
        calls.append(len(which))
        if len(calls) == 3:
            raise MemoryError("no room for the block")
        block[: len(which)] = self[which]

    monkeypatch.setattr(StreamedRows, "read_into", fail)
    with pytest.raises(MemoryError, match="no room for the block"):
        streamed.train()
    assert calls == [16, 16, 16]
    assert streamed.loop.state.step == 4  # what was computed before stands


def test_closing_ends_the_thread(pair):
    _, streamed = pair()
    streamed.train()
    streamed.loop.close()
    thread = streamed.steps._feed._thread
    assert not any(worker.is_alive() for worker in thread._threads)


def test_steps_streamed_at_once_are_bounded_by_bytes(tmp_path):
    file = saved_rows(tmp_path / "x.npy", np.zeros((100, 28, 28), np.uint8))
    rows = StreamedRows(file, np.dtype(np.uint8))
    assert rows.rows_at_once(32) == (1 << 24) // (32 * 784) * 32
    assert rows.rows_at_once(10**6) == 10**6  # a batch at least
    assert StreamedRows(file, np.dtype(np.float32)).rows_at_once(32) < rows.rows_at_once(32)


def test_evaluation_reads_a_block_at_a_time(pair):
    _, streamed = pair()
    split = Split(*(streamed.loop._dataset.splits["train"].features, np.zeros(53, np.int32)))
    whole = streamed.evaluator.evaluate(Split(split.features[:], split.labels))
    streamed.evaluator.block_size = 53
    in_blocks = streamed.evaluator.evaluate(split)
    np.testing.assert_array_equal(whole.outputs, in_blocks.outputs)
