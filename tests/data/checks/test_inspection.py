from dataclasses import replace

import numpy as np
import pytest

from bmtrain.data.checks.finding import Finding
from bmtrain.data.checks.inspection import inspect_dataset, quick_findings, thorough_findings
from bmtrain.data.examples.dataset import Dataset, Split
from bmtrain.data.examples.weights import weighted
from bmtrain.data.load import load_dataset


@pytest.fixture
def table(tmp_path, section, numbers):
    def load(task="classification", *, rows, header="a,b,y", splits=None):
        path = tmp_path / "t.csv"
        path.write_text(header + "\n" + "\n".join(rows))
        wanted = section(path, label="y", splits=splits or {})
        return load_dataset(wanted, task=task, seed=0)

    return load


def messages(dataset, level):
    return [finding.message for finding in inspect_dataset(dataset) if finding.level == level]


def test_a_sound_set_has_nothing_but_good_findings(table):
    rows = [f"{row / 3:.3f},{row**2 / 7:.3f},{row % 2}" for row in range(40)]
    dataset = table(rows=rows, splits={"test": 0.5})
    assert inspect_dataset(dataset) == [
        Finding("ok", "train: 20 examples, 2 features, float32"),
        Finding("ok", "test: 20 examples, 2 features, float32"),
        Finding("ok", "2 classes, evenly 50.0% of the training examples each"),
        Finding("ok", "all values are finite"),
        Finding("ok", "no feature is constant"),
        Finding("ok", "train and test share no example"),
    ]


def test_a_missing_test_split_is_pointed_out(table):
    dataset = table(rows=[f"{row},{row},{row % 2}" for row in range(40)])
    assert any("no test split" in message for message in messages(dataset, "warning"))


def test_rare_and_unbalanced_classes_are_named(table):
    rows = [f"{row},{row},common" for row in range(60)] + [f"{row},0,rare" for row in range(3)]
    found = messages(table(rows=rows), "warning")
    assert (
        "2 classes, from 4.8% (rare) to 95.2% (common) of the training examples; "
        "accuracy hides how the rare ones do: look at eval's figures per class; "
        "training.class_weight: balanced lets each class count the same"
    ) in found
    assert (
        "fewer than 10 training examples of class rare (3); gather more, or join it to another class"
    ) in found


def test_weighted_classes_need_no_warning(table):
    rows = [f"{row},{row},common" for row in range(60)] + [f"{row},0,rare" for row in range(12)]
    data = table(rows=rows)
    weighed = weighted(data, "balanced")
    assert not any("class_weight" in message for message in messages(weighed, "warning"))
    assert "weights: 0.6 to 3, mean 1" in messages(weighed, "ok")


def test_weights_far_from_1_are_said_to_scale_the_steps(table):
    data = table(rows=[f"{row},{row},{row % 2}" for row in range(40)])
    weighed = weighted(data, {"0": 100.0, "1": 0.0})
    (told,) = [m for m in messages(weighed, "warning") if m.startswith("weights: ")]
    assert told.startswith("weights: 0 to 100, mean 50; 20 are 0: loss and gradients are 50 times")


def test_classes_without_examples_are_named(tmp_path, section):
    labels = np.repeat([0, 8], 20)
    np.savez(tmp_path / "d.npz", x_train=np.arange(40.0), y_train=labels)
    dataset = load_dataset(section(tmp_path / "d.npz"), task="classification", seed=0)
    found = messages(dataset, "warning")
    assert (
        "no training example of class 1, 2, 3, 4, 5 and 2 more; it will never be predicted" in found
    )


def test_a_class_that_a_split_lacks_is_named_with_the_split(tmp_path, section):
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.savez(
        tmp_path / "d.npz",
        x_train=x,
        y_train=np.arange(60) % 3,
        x_test=-x[:20],
        y_test=np.arange(20) % 2,
    )
    dataset = load_dataset(section(tmp_path / "d.npz"), task="classification", seed=0)
    assert messages(dataset, "warning") == [
        "no test example of class 2; the figures of test say nothing about it"
    ]


def test_constant_columns_are_named(table):
    rows = [f"{row},7,{row % 2}" for row in range(40)]
    found = messages(table(rows=rows), "warning")
    assert "1 of 2 features is constant in train: b; data.features can leave it out" in found


def test_the_constant_rim_of_pictures_is_no_warning_and_constant_pictures_are(tmp_path, section):
    pictures = np.zeros((20, 2, 2), np.uint8)
    for value, level in ((np.arange(20), "ok"), (0, "warning")):
        pictures[:, 0, 0] = value
        np.savez(tmp_path / "d.npz", x_train=pictures, y_train=np.arange(20) % 2)
        dataset = load_dataset(section(tmp_path / "d.npz"), task="classification", seed=0)
        assert any("of 4 features are constant" in found for found in messages(dataset, level))


def test_examples_in_two_splits_are_counted(tmp_path, section):
    x = np.arange(40.0).reshape(20, 2)
    np.savez(
        tmp_path / "d.npz",
        x_train=np.concatenate([x, x[:2]]),
        y_train=np.arange(22) % 2,
        x_test=np.concatenate([x[:3], -x[1:5]]),
        y_test=np.arange(7) % 2,
    )
    dataset = load_dataset(section(tmp_path / "d.npz"), task="classification", seed=0)
    assert (
        "3 of the 7 test examples are in train too; index 0 of test is index 0 of train; "
        "remove them from one of the two: the figures of test flatter the model"
    ) in messages(dataset, "warning")
    assert (
        "train: 2 examples repeat another one exactly; index 20 is index 0 again; "
        "remove them, unless each was really observed: they weigh more than the others"
    ) in messages(dataset, "warning")


def test_one_example_is_told_in_the_singular(tmp_path, section):
    x = np.arange(12.0).reshape(6, 2)
    np.savez(
        tmp_path / "d.npz",
        x_train=np.concatenate([x, x[:1]]),
        y_train=np.arange(7) % 2,
        x_test=np.concatenate([x[:1], -x[1:3]]),
        y_test=np.arange(3) % 2,
    )
    dataset = load_dataset(section(tmp_path / "d.npz"), task="classification", seed=0)
    found = "\n".join(finding.message for finding in inspect_dataset(dataset))
    assert "1 of the 3 test examples is in train too; index 0 of test" in found
    assert "train: 1 example repeats another one exactly; index 6 is index 0 again" in found


def test_targets_are_described_and_constant_ones_pointed_out(tmp_path, section):
    targets = np.stack([np.arange(20.0), np.full(20, 3.0)], axis=1)
    np.savez(tmp_path / "d.npz", x_train=np.arange(20.0), y_train=targets)
    dataset = load_dataset(section(tmp_path / "d.npz"), task="regression", seed=0)
    assert "targets[0]: 0 to 19, mean 9.5, s.d. 5.766" in messages(dataset, "ok")
    assert "targets[1]: all are 3" in messages(dataset, "warning")


@pytest.mark.parametrize(
    ("targets", "figures", "remedy"),
    [
        # log10 of 2e5 is 5.3.
        ([1e5, 3e5], "mean 2e+05, s.d. 1e+05", "divide them by about 100000"),
        ([-300, 300], "mean 0, s.d. 300", "divide them by about 100"),
        # Years: dividing by 1,000 would leave an s.d. of 0.005.
        ([1996, 2006], "mean 2e+03, s.d. 5", "subtract about 2000 from them"),
        (
            [1e6 - 1e3, 1e6 + 1e3],
            "mean 1e+06, s.d. 1e+03",
            "subtract about 1e+06 from them and divide them by about 1000",
        ),
    ],
)
def test_targets_far_from_0_are_pointed_out(tmp_path, section, targets, figures, remedy):
    np.savez(tmp_path / "d.npz", x_train=np.arange(8.0), y_train=np.tile(targets, 4))
    dataset = load_dataset(section(tmp_path / "d.npz"), task="regression", seed=0)
    assert (
        f"targets are large: {figures}; a network starts near 0: {remedy}, "
        "or raise optimizer.learning_rate"
    ) in messages(dataset, "warning")


@pytest.mark.parametrize(
    ("targets", "figures", "remedy"),
    [
        ([0.001, 0.003], "mean 0.002, s.d. 0.001", "multiply them by about 1000"),
        (
            [0.4375 - 2**-9, 0.4375 + 2**-9],
            "mean 0.438, s.d. 0.00195",
            "subtract about 0.44 from them and multiply them by about 1000",
        ),
    ],
)
def test_targets_that_hardly_differ_are_pointed_out(tmp_path, section, targets, figures, remedy):
    np.savez(tmp_path / "d.npz", x_train=np.arange(8.0), y_train=np.tile(targets, 4))
    dataset = load_dataset(section(tmp_path / "d.npz"), task="regression", seed=0)
    assert (
        f"targets hardly differ: {figures}; a new network's outputs differ by about 1: {remedy}"
    ) in messages(dataset, "warning")


@pytest.mark.parametrize("targets", [[-100, 100], [0.1, 0.2], [5, 35], [99, 101]])
def test_targets_that_a_network_reaches_are_no_warning(tmp_path, section, targets):
    np.savez(tmp_path / "d.npz", x_train=np.arange(8.0), y_train=np.tile(targets, 4))
    dataset = load_dataset(section(tmp_path / "d.npz"), task="regression", seed=0)
    assert not any(message.startswith("targets") for message in messages(dataset, "warning"))


def test_many_targets_of_one_fault_are_one_warning(tmp_path, section):
    targets = np.outer(np.arange(8.0), [1, 1000, 0.001, 2000, 1])
    np.savez(tmp_path / "d.npz", x_train=np.arange(8.0), y_train=targets)
    dataset = load_dataset(section(tmp_path / "d.npz"), task="regression", seed=0)
    found = [text for text in messages(dataset, "warning") if text.startswith("targets")]
    assert [text.split(":")[0] for text in found] == [
        "targets[1] and 1 more are large",
        "targets[2] hardly differ",
    ]


def test_the_quick_findings_read_no_feature_and_come_first(table):
    rows = [f"{row / 3:.3f},{row**2 / 7:.3f},{row % 2}" for row in range(40)]
    dataset = table(rows=rows, splits={"test": 0.5})
    found = inspect_dataset(dataset)
    quick, thorough = quick_findings(dataset), thorough_findings(dataset)
    assert found == quick + thorough
    assert len(thorough) == 3
    # A terabyte, if anything looked at it.
    virtual = np.broadcast_to(np.float32(0), (20, 10**6, 10**4))
    splits = {name: Split(virtual, split.labels) for name, split in dataset.splits.items()}
    assert quick_findings(Dataset(splits, dataset.facts)) == quick


def test_targets_beyond_the_fifth_are_not_listed(tmp_path, section, numbers):
    np.savez(tmp_path / "d.npz", x_train=np.arange(20.0), y_train=numbers.normal(size=(20, 7)))
    dataset = load_dataset(section(tmp_path / "d.npz"), task="regression", seed=0)
    assert sum(message.startswith("targets[") for message in messages(dataset, "ok")) == 5


def test_many_constant_targets_are_told_in_one_line(tmp_path, section):
    np.savez(tmp_path / "d.npz", x_train=np.arange(20.0), y_train=np.ones((20, 3000)))
    dataset = load_dataset(section(tmp_path / "d.npz"), task="regression", seed=0)
    found = [text for text in messages(dataset, "warning") if "targets" in text]
    assert len(found) == 6
    assert found[-1] == (
        "constant in train, too: targets[5], targets[6], targets[7], targets[8], targets[9] "
        "and 2,990 more"
    )


def test_a_class_name_and_a_column_name_as_long_as_the_file_are_not_shown_whole(table):
    long = "x" * 100_000
    rows = [f"{row},7,{'short' if row else long}" for row in range(20)]
    found = inspect_dataset(table(rows=rows, header=f"a,{long},y"))
    cut = "x" * 79 + "…"
    shown = [finding.message.split(";")[0] for finding in found if "x" * 9 in finding.message]
    assert shown == [
        f"2 classes, from 5.0% ({cut}) to 95.0% (short) of the training examples",
        f"fewer than 10 training examples of class {cut} (1)",
        f"1 of 2 features is constant in train: {cut}",
    ]
    assert "x" * 81 not in "".join(finding.message for finding in found)


def test_what_is_not_finite_is_an_error(table):
    dataset = table(rows=[f"{row},{row},{row % 2}" for row in range(40)])
    features = dataset.splits["train"].features.copy()
    features[3, 1] = np.nan
    broken = Split(features, dataset.splits["train"].labels)
    dataset = Dataset({"train": broken}, replace(dataset.facts))
    # What NaN would make of comparisons is not told.
    assert [f.level for f in thorough_findings(dataset)] == ["error", "ok"]
    assert messages(dataset, "error") == [
        "train: 1 example with NaN or infinity; remove or mend them"
    ]
