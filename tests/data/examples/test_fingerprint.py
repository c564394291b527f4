import hashlib

import numpy as np

from bmtrain.data.examples.dataset import Split
from bmtrain.data.examples.fingerprint import fingerprint, split_fingerprint
from bmtrain.data.raw.source import SplitName

TRAIN = Split(np.array([[1, 2], [3, 4]], np.uint8), np.array([0, 1], np.int32))
TEST = Split(np.array([[5, 6]], np.uint8), np.array([1], np.int32))
NAMES = {"class_names": ("a", "b"), "label_name": None}


def of_all(splits, names):
    return fingerprint({name: split_fingerprint(splits[name]) for name in splits}, names)


def test_it_is_sha256_over_names_and_arrays_by_hand():
    train = hashlib.sha256(
        b"features |u1 (2, 2)\n\x01\x02\x03\x04labels <i4 (2,)\n\x00\x00\x00\x00\x01\x00\x00\x00"
    ).hexdigest()
    names = b"class_names=('a', 'b')\nlabel_name=None\n"
    expected = hashlib.sha256(names + b"train " + train.encode() + b"\n")
    assert of_all({"train": TRAIN}, NAMES) == expected.hexdigest()


def test_every_change_of_data_or_names_shows():
    base: dict[SplitName, Split] = {"train": TRAIN, "test": TEST}
    other_value = Split(np.array([[1, 2], [3, 5]], np.uint8), TRAIN.labels)
    other_shape = Split(TRAIN.array.reshape(2, 2, 1), TRAIN.labels)
    other_dtype = Split(TRAIN.array.astype(np.float32), TRAIN.labels)
    other_label = Split(TRAIN.features, np.array([1, 1], np.int32))
    found = {
        of_all(base, NAMES),
        of_all({"train": TRAIN}, NAMES),
        of_all({"train": TRAIN, "validation": TEST}, NAMES),
        of_all(base, {"class_names": ("a", "c"), "label_name": None}),
        *(
            of_all({"train": split, "test": TEST}, NAMES)
            for split in (other_value, other_shape, other_dtype, other_label)
        ),
    }
    assert len(found) == 8


def test_byte_order_memory_order_and_the_order_of_splits_do_not_matter():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    plain = Split(values, TRAIN.labels)
    swapped = Split(np.asfortranarray(values.astype(">f4")), TRAIN.labels.astype(">i4"))
    assert of_all({"train": plain, "test": TEST}, NAMES) == of_all(
        {"test": TEST, "train": swapped}, NAMES
    )
