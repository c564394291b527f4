import hashlib

import numpy as np

from bmtrain.data.dataset import Split, SplitName
from bmtrain.data.fingerprint import fingerprint

TRAIN = Split(np.array([[1, 2], [3, 4]], np.uint8), np.array([0, 1], np.int32))
TEST = Split(np.array([[5, 6]], np.uint8), np.array([1], np.int32))
NAMES = {"class_names": ("a", "b"), "label_name": None}


def test_it_is_sha256_over_names_and_arrays_by_hand():
    expected = hashlib.sha256(
        b"class_names=('a', 'b')\nlabel_name=None\n"
        b"train.features |u1 (2, 2)\n\x01\x02\x03\x04"
        b"train.labels <i4 (2,)\n\x00\x00\x00\x00\x01\x00\x00\x00"
    )
    assert fingerprint({"train": TRAIN}, NAMES) == expected.hexdigest()


def test_every_change_of_data_or_names_shows():
    base: dict[SplitName, Split] = {"train": TRAIN, "test": TEST}
    other_value = Split(np.array([[1, 2], [3, 5]], np.uint8), TRAIN.labels)
    other_shape = Split(TRAIN.features.reshape(2, 2, 1), TRAIN.labels)
    other_dtype = Split(TRAIN.features.astype(np.float32), TRAIN.labels)
    other_label = Split(TRAIN.features, np.array([1, 1], np.int32))
    found = {
        fingerprint(base, NAMES),
        fingerprint({"train": TRAIN}, NAMES),
        fingerprint({"train": TRAIN, "validation": TEST}, NAMES),
        fingerprint(base, {"class_names": ("a", "c"), "label_name": None}),
        *(
            fingerprint({"train": split, "test": TEST}, NAMES)
            for split in (other_value, other_shape, other_dtype, other_label)
        ),
    }
    assert len(found) == 8


def test_byte_order_memory_order_and_the_order_of_splits_do_not_matter():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    plain = Split(values, TRAIN.labels)
    swapped = Split(np.asfortranarray(values.astype(">f4")), TRAIN.labels.astype(">i4"))
    assert fingerprint({"train": plain, "test": TEST}, NAMES) == fingerprint(
        {"test": TEST, "train": swapped}, NAMES
    )
