"""Scales that do not suit a network, told with what to write."""

import numpy as np
import pytest

from bmtrain.data.checks.feature_checks import feature_findings
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split
from bmtrain.data.examples.normalization import fit_preprocessing


def warnings(features, normalize="auto", names=None):
    labels = (np.arange(len(features)) % 2).astype(np.int32)
    facts = DataFacts(
        *("classification", features.shape[1:], features.dtype.name, ("a", "b"), 2, names),
        *(None, len(features), ""),
    )
    dataset = Dataset({"train": Split(features, labels)}, facts)
    found = feature_findings(dataset, fit_preprocessing(dataset, normalize))
    return [(f.message, f.key) for f in found if f.level == "warning"]


@pytest.mark.parametrize(("highest", "scaling"), [(1, "none"), (16, "standardize")])
def test_small_uint8_that_unit_divides_by_255_is_pointed_out(numbers, highest, scaling):
    pictures = numbers.integers(0, highest + 1, (60, 4, 4)).astype(np.uint8)
    ((message, key),) = warnings(pictures)
    assert message == (
        f"no value is above {highest}, and normalize: unit divides by 255: no input is above "
        f"{highest / 255:.2g}; write data.normalize: {scaling}"
    )
    assert key == ("data", "normalize")
    assert warnings(pictures, scaling) == []


def test_features_on_far_scales_are_pointed_out_where_nothing_scales_them(numbers):
    features = numbers.normal(size=(500, 2)).astype(np.float32) * [0.01, 50]
    ((message, _),) = warnings(features.astype(np.float32), "none", ("height", "income"))
    low, high = features.astype(np.float32).std(axis=0, dtype=np.float64)
    assert f"from s.d. {low:.3g} (height) to {high:.3g} (income)" in message
    assert message.endswith("write data.normalize: standardize")
    assert warnings(features.astype(np.float32), "standardize", ("height", "income")) == []


@pytest.mark.parametrize("normalize", ["none", "auto"])
def test_large_inputs_are_pointed_out_where_nothing_scales_them(numbers, normalize):
    pictures = numbers.uniform(0, 255, (50, 3, 3)).astype(np.float32)
    ((message, _),) = warnings(pictures, normalize)
    figures = f"mean {pictures.mean():.3g}, s.d. {pictures.std():.3g}"
    assert message.startswith(f"inputs are large: {figures}, and normalize: none")
    assert warnings(pictures, "unit") == []


def test_inputs_of_usual_size_are_no_warning(numbers):
    assert warnings(numbers.integers(0, 256, (50, 4, 4)).astype(np.uint8)) == []
    assert warnings(numbers.normal(size=(50, 3)).astype(np.float32) * [1, 90, 0.3], "none") == []
