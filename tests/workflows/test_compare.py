"""``bmtrain compare``: the real command on runs with known predictions."""

import csv
import io
import os

import numpy as np
import pytest
from scipy import stats

from tests.small_runs import give_classes, give_numbers, make_run
from tests.workflows.conftest import Ended

REGRESSION = """\
name: line
data: {source: ./line.csv, label: y, splits: {test: 0.2}}
model: {layers: [{type: dense, units: 1}]}
loss: mse
metrics: [rmse, mae]
optimizer: {name: sgd, learning_rate: 0.01}
training: {epochs: 3}
"""
TABLE = """\
name: table
data: {source: ./table.csv, label: y, splits: {test: 0.2}}
model: {type: mlp, hidden: [4]}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: sgd, learning_rate: 0.01}
training: {epochs: 3}
"""
LABELS = np.arange(400) % 10


def wrong_at(*places):
    predicted = LABELS.copy()
    for place in places:
        predicted[place] = (predicted[place] + 1) % 10
    return predicted


@pytest.fixture
def bmtrain(tmp_path, monkeypatch, capfd):
    """The command beside the runs, in this process: it needs no TensorFlow to be started."""
    from bmtrain.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        exit_code = main([str(argument) for argument in arguments])
        return Ended(exit_code, *capfd.readouterr())

    return run


@pytest.fixture
def made(tmp_path):
    """(name, overrides, predicted classes) -> a run that was tested on LABELS."""

    def make(name, *overrides, predicted=LABELS, labels=LABELS, **options):
        accuracy = float((predicted == labels).mean())
        metrics = {"test": {"loss": 0.3, "accuracy": accuracy}}
        run = make_run(tmp_path / name, *overrides, **{"metrics": metrics, **options})
        give_classes(run, labels, predicted)
        return run

    return make


@pytest.fixture
def two(made):
    """B has 20 right that A has wrong, A has 5 that B has wrong; both miss 10."""
    made("a", predicted=wrong_at(*range(30)))
    made("b", "optimizer.learning_rate=0.1", predicted=wrong_at(*range(20, 30), *range(100, 105)))


def test_mcnemars_test_and_the_interval_are_told_in_words(bmtrain, two):
    ended = bmtrain("compare", "a", "b", "--json")
    assert ended.exit_code == 0
    (evidence,) = ended.document["evidence"]
    assert evidence["p"] == pytest.approx(stats.binomtest(5, 25, 0.5).pvalue)
    assert evidence["difference"] == pytest.approx(15 / 400)
    # The bootstrap of a mean is near to what the central limit says.
    reach = 1.96 * np.sqrt((25 / 400 - (15 / 400) ** 2) / 400)
    interval = [evidence["interval"]["low"], evidence["interval"]["high"]]
    assert interval == pytest.approx([15 / 400 - reach, 15 / 400 + reach], abs=0.1 * reach)
    low, high = (f"{100 * end:.2f}" for end in interval)
    assert evidence["text"].startswith(
        f"B is better than A on this test set: accuracy +3.75 points, 95 % interval {low} to {high} "
        "(McNemar's exact test, p = 0.004)"
    )
    assert ended.document["notes"][0].startswith("one seed each: ")
    assert "nothing follows about the method" in ended.document["notes"][0]


def test_who_is_better_is_named_in_either_order(bmtrain, two):
    (evidence,) = bmtrain("compare", "b", "a", "--json").document["evidence"]
    assert evidence["verdict"] == "worse"
    assert evidence["text"].startswith("A is better than B on this test set: accuracy +3.75 points")
    assert evidence["difference"] == pytest.approx(-15 / 400)


def test_few_discordant_answers_are_no_evidence(bmtrain, made):
    made("a", predicted=wrong_at(*range(10)))
    made("b", predicted=wrong_at(*range(3, 10), 50))
    (evidence,) = bmtrain("compare", "a", "b", "--json").document["evidence"]
    assert evidence["verdict"] == "no evidence"
    assert evidence["p"] == pytest.approx(stats.binomtest(1, 4, 0.5).pvalue)
    assert evidence["text"].startswith(
        "no evidence of a difference on this test set: B against A, accuracy +0.50 points"
    )


def test_the_same_answers_are_no_evidence(bmtrain, made):
    made("a"), made("b", "seed=1")
    document = bmtrain("compare", "a", "b", "--json").document
    assert document["evidence"][0]["text"] == (
        "no evidence of a difference: A and B have the same accuracy on every test example"
    )
    assert document["notes"] == [
        "the configs are the same but for the seed: a difference is that of the seeds"
    ]


def test_where_the_seeds_are_the_same_too_no_difference_is_put_down_to_them(bmtrain, made):
    made("a"), made("b", predicted=wrong_at(1, 2, 3)), made("c")
    words = "config and seed are the same: a difference is that of data, environment or code"
    assert bmtrain("compare", "a", "b", "--json").document["notes"] == [words]
    told = bmtrain("compare", "a", "b", "c", "--json").document["notes"]
    assert "the runs have one config and one seed: their figures are those of one method" in told
    assert not [note for note in told if "but for the seed" in note or "in seed only" in note]


def test_what_differs_is_told_and_nothing_else(bmtrain, two):
    document = bmtrain("compare", "a", "b", "--only-changed", "--json").document
    assert document["config"] == [
        {"key": "optimizer.learning_rate", "values": {"A": 0.01, "B": 0.1}}
    ]
    assert document["data"] == document["environment"] == []
    assert [row["key"] for row in document["metrics"]] == ["test.accuracy"]
    whole = bmtrain("compare", "a", "b", "--json").document
    assert [run["begun"] for run in whole["runs"]] == ["2026-11-23T10:15:00Z"] * 2
    assert {"source", "fingerprint"} <= {row["key"] for row in whole["data"]}
    assert {"test.loss", "epochs", "parameters"} <= {row["key"] for row in whole["metrics"]}


def test_environment_and_code_are_compared(bmtrain, made):
    git = {"commit": "ab" * 20, "dirty": False}
    made("a", environment={"python": "3.11.7", "processor": "x"}, git=git, engine={"threads": 1})
    made("b", environment={"python": "3.12.1", "processor": "x"}, git=git | {"dirty": True},
         engine={"threads": 2})  # fmt: skip
    rows = bmtrain("compare", "a", "b", "--json").document["environment"]
    assert {row["key"]: row["values"] for row in rows} == {
        "environment.python": {"A": "3.11.7", "B": "3.12.1"},
        "engine.threads": {"A": 1, "B": 2},
        "git.dirty": {"A": False, "B": True},
    }


def test_the_table_says_it_all(bmtrain, two):
    ended = bmtrain("compare", "a", "b")
    lines = ended.out.splitlines()
    assert lines[:2] == ["A  a", "B  b"]
    assert ["config", "A", "B"] in [line.split() for line in lines]
    assert ["optimizer.learning_rate", "0.01", "0.1"] in [line.split() for line in lines]
    assert "the same in all: environment" in lines
    assert any(line.startswith("B is better than A on this test set: ") for line in lines)


@pytest.mark.parametrize("width", [20, 40])
def test_a_narrow_terminal_has_blocks(bmtrain, two, width):
    ended = bmtrain("compare", "a", "b", "--only-changed", COLUMNS=str(width))
    rows = [line for line in ended.out.splitlines() if line.startswith(("optim", "  A", "  B"))]
    assert max(map(len, rows)) <= max(width, len("optimizer.learning_rate"))
    assert any(line.split()[:1] == ["config"] for line in ended.out.splitlines())


def test_csv_and_markdown_are_for_other_programs(bmtrain, two):
    ended = bmtrain("compare", "a", "b", "--format", "csv")
    header, *rows = csv.reader(io.StringIO(ended.out))
    assert header == ["section", "key", "a", "b"]
    assert ["config", "optimizer.learning_rate", "0.01", "0.1"] in rows
    assert ["metrics", "test.accuracy", "0.925", "0.9625"] in rows
    assert "B is better than A" in ended.err
    markdown = bmtrain("compare", "a", "b", "--format", "markdown").out
    assert "| optimizer.learning_rate | 0.01 | 0.1 |\n" in markdown
    assert "\n- B is better than A on this test set: " in markdown


def test_another_test_set_is_refused(bmtrain, made):
    made("a"), made("b", labels=(LABELS + 1) % 10)
    made("c", labels=LABELS[:300], predicted=LABELS[:300])
    ended = bmtrain("compare", "a", "b", "--json")
    assert (ended.exit_code, ended.document["error"]["code"]) == (3, "data")
    assert ended.document["error"]["message"] == (
        "A and B were tested on different test sets: other labels"
    )
    ended = bmtrain("compare", "a", "c")
    assert "different test sets: 400 examples and 300" in ended.err
    assert ended.out == ""


def test_equal_labels_of_drawn_splits_are_no_proof_of_equal_examples(bmtrain, made, tmp_path):
    """Rows drawn from a table that is sorted by class have the same labels under any seed."""
    labels = np.sort(LABELS)
    data = [{"data": {"fingerprint": letter * 32}} for letter in "xyz"]
    made("a", config=TABLE, labels=labels, predicted=labels, **data[0])
    made("b", "seed=1", config=TABLE, labels=labels, predicted=labels, **data[1])
    made(
        "c", "data.splits.validation=0.1", config=TABLE, labels=labels, predicted=labels, **data[2]
    )
    made("d", "data.splits.test=0.2001", config=TABLE, labels=labels, predicted=labels, **data[2])
    ended = bmtrain("compare", "a", "b")
    assert ended.exit_code == 3
    assert "the split is drawn with the seeds 0 and 1" in ended.err
    assert "drawn otherwise (data.splits.test)" in bmtrain("compare", "a", "d").err
    assert bmtrain("compare", "a", "c").exit_code == 0  # the test split is drawn first


def test_the_fingerprints_of_the_test_splits_decide_where_they_are_recorded(bmtrain, made):
    """Other inputs under equal labels are another test set; equal ones under another draw are not."""
    for name, letter, test, *overrides in (
        ("a", "x", "t"),
        ("b", "y", "t", "seed=1"),
        ("c", "z", "u"),
    ):
        recorded = {"fingerprint": letter * 32, "fingerprints": {"test": test * 32}}
        made(name, *overrides, config=TABLE, data=recorded)
    assert bmtrain("compare", "a", "b").exit_code == 0
    ended = bmtrain("compare", "a", "c")
    assert ended.exit_code == 3
    assert "different test sets: other inputs under the same labels" in ended.err
    made("d", "data.features=[x]", config=TABLE,
         data={"fingerprint": "v" * 32, "fingerprints": {"test": "w" * 32}})  # fmt: skip
    assert bmtrain("compare", "a", "d").exit_code == 0  # of other columns of the same examples


@pytest.mark.parametrize(
    ("metric", "difference", "p"),
    [
        ("test.mean_absolute_error", lambda a, b: np.abs(b).mean() - np.abs(a).mean(),
         lambda a, b: stats.ttest_rel(np.abs(b), np.abs(a)).pvalue),
        ("test.loss", lambda a, b: (b**2).mean() - (a**2).mean(),
         lambda a, b: stats.ttest_rel(b**2, a**2).pvalue),
        ("test.rmse", lambda a, b: np.sqrt((b**2).mean()) - np.sqrt((a**2).mean()),
         lambda a, b: stats.ttest_rel(b**2, a**2).pvalue),
    ],
)  # fmt: skip
def test_regressions_are_compared_by_their_errors(bmtrain, tmp_path, random, metric, difference, p):
    targets = random.normal(size=200).astype(np.float32)
    errors = [scale * random.normal(size=200) for scale in (1.0, 0.5)]
    figures = {"loss": 1.0, "root_mean_squared_error": 1.0, "mean_absolute_error": 1.0}
    for name, error in zip("ab", errors, strict=True):
        run = make_run(tmp_path / name, config=REGRESSION, metrics={"test": figures})
        give_numbers(run, targets, targets + error)
    (evidence,) = bmtrain("compare", "a", "b", "--metric", metric, "--json").document["evidence"]
    assert evidence["difference"] == pytest.approx(difference(*errors), rel=1e-4)
    assert evidence["p"] == pytest.approx(p(*errors), rel=1e-3)
    assert evidence["verdict"] == "better"
    assert evidence["text"].startswith("B is better than A on this test set: ")
    assert evidence["interval"]["high"] < 0


@pytest.fixture
def seeds(made):
    """Four seeds each of two learning rates, whose accuracies are 0.80 … and 0.90 …"""
    wrong = {"slow": (80, 84, 76, 88), "fast": (40, 36, 44, 42)}
    for name, rate in (("slow", 0.01), ("fast", 0.1)):
        for seed, number in enumerate(wrong[name]):
            made(
                f"{name}{seed}",
                f"optimizer.learning_rate={rate}",
                f"seed={seed}",
                f"name={name}{seed}",
                predicted=wrong_at(*range(number)),
            )
    return {name: [1 - count / 400 for count in counts] for name, counts in wrong.items()}


def names(*groups):
    return [f"{group}{seed}" for group in groups for seed in range(4)]


def test_groups_of_seeds_are_tested_across_seeds(bmtrain, seeds):
    document = bmtrain("compare", *names("slow", "fast"), "--json").document
    (evidence,) = document["evidence"]
    theirs = stats.ttest_ind(seeds["fast"], seeds["slow"], equal_var=False)
    assert evidence["p"] == pytest.approx(theirs.pvalue, rel=1e-6)
    interval = theirs.confidence_interval(0.95)
    assert list(evidence["interval"].values())[:2] == pytest.approx(list(interval), rel=1e-6)
    assert evidence["text"].startswith(
        "E, F, G, H are better than A, B, C, D across seeds: accuracy +10"
    )
    assert "(Welch's t-test, 4 and 4 seeds, p < 0.001)" in evidence["text"]
    first = document["groups"][0]
    assert (first["runs"], first["seeds"]) == (["A", "B", "C", "D"], [0, 1, 2, 3])
    assert first["mean"] == pytest.approx(np.mean(seeds["slow"]))
    assert first["standard_deviation"] == pytest.approx(np.std(seeds["slow"], ddof=1))


def test_several_pairs_of_groups_are_corrected_by_holm(bmtrain, seeds, made):
    for seed, number in enumerate((60, 90, 50, 66)):
        made(f"mid{seed}", "optimizer.learning_rate=0.05", f"seed={seed}",
             predicted=wrong_at(*range(number)))  # fmt: skip
    document = bmtrain("compare", *names("slow", "fast", "mid"), "--json").document
    raw = [entry["p"] for entry in document["evidence"]]
    adjusted = [entry["p_adjusted"] for entry in document["evidence"]]
    ranked = sorted(raw)
    wanted = np.maximum.accumulate([min(1, (3 - rank) * p) for rank, p in enumerate(ranked)])
    assert adjusted == pytest.approx([wanted[ranked.index(p)] for p in raw])
    assert all("by Holm's correction" in entry["text"] for entry in document["evidence"])


def test_a_group_with_few_seeds_is_told_as_such(bmtrain, seeds):
    document = bmtrain("compare", *names("slow"), "fast0", "fast1", "--json").document
    assert "E, F: 2 seeds; a test across seeds takes 3 at least" in document["notes"]
    assert [entry["kind"] for entry in document["evidence"]] == ["models"] * 5
    assert document["evidence"][-1]["p_adjusted"] > document["evidence"][-1]["p"]
    assert all("one seed each" not in note for note in document["notes"])


def test_one_seed_twice_is_no_second_seed(bmtrain, seeds, made):
    for name in ("again1", "again2"):
        made(name, "optimizer.learning_rate=0.1", predicted=wrong_at(*range(40)))
    words = [*names("slow"), "fast0", "again1", "again2"]
    document = bmtrain("compare", *words, "--json").document
    assert document["groups"][1]["seeds"] == [0]
    assert "E, F, G: one seed; a test across seeds takes 3 at least" in document["notes"]


def test_settings_that_change_no_bit_do_not_part_a_group(bmtrain, made):
    made("a"), made("b", "seed=1", "training.checkpoint.keep=5", "expect=['test.loss > 0.1']")
    made("c", "seed=2", "training.steps_per_call=9", "name=other")
    document = bmtrain("compare", "a", "b", "c", "--json").document
    assert [group["runs"] for group in document["groups"]] == [["A", "B", "C"]]
    assert (
        "the runs differ in seed only: their figures are those of one method" in document["notes"]
    )


def test_seeds_may_have_drawn_their_own_test_sets(bmtrain, made, random):
    for name, rate, least in (("slow", 0.01, 80), ("fast", 0.1, 20)):
        for seed in range(3):
            labels = np.random.default_rng(seed).permutation(LABELS)
            predicted = labels.copy()
            predicted[: least + seed] = (predicted[: least + seed] + 1) % 10
            made(f"{name}{seed}", f"optimizer.learning_rate={rate}", f"seed={seed}", config=TABLE,
                 labels=labels, predicted=predicted)  # fmt: skip
    runs = [f"{name}{seed}" for name in ("slow", "fast") for seed in range(3)]
    (evidence,) = bmtrain("compare", *runs, "--json").document["evidence"]
    assert (evidence["kind"], evidence["verdict"]) == ("seeds", "better")


def test_a_run_that_did_not_complete_has_no_say(bmtrain, two, made):
    run = made("c", status="interrupted", metrics={"validation": {"loss": 1.0}})
    document = bmtrain("compare", "a", "c", "--metric", "test.accuracy", "--json").document
    assert document["evidence"][0]["verdict"] == "untested"
    assert document["evidence"][0]["text"] == (
        "B against A: not tested: B has no stored predictions of a test split: it is interrupted"
    )
    assert bmtrain("compare", "a", run, "--json").document["figure"] is None
    assert "(interrupted)" in bmtrain("compare", "a", "c").out


def test_other_figures_are_told_side_by_side_only(bmtrain, tmp_path):
    for name in "ab":
        make_run(tmp_path / name, metrics={"validation": {"loss": 0.5, "accuracy": 0.9}})
    document = bmtrain("compare", "a", "b", "--json").document
    assert document["figure"] == "validation.accuracy"
    assert document["evidence"][0]["verdict"] == "untested"
    assert (
        "stored of the test split, and this is validation.accuracy"
        in (document["evidence"][0]["text"])
    )


def test_losses_that_are_other_functions_are_not_tested(bmtrain, tmp_path, random):
    for name, overrides in (("a", []), ("b", ["loss=huber"])):
        run = make_run(
            tmp_path / name, *overrides, config=REGRESSION, metrics={"test": {"loss": 1.0}}
        )
        give_numbers(run, np.zeros(50), random.normal(size=50))
    (evidence,) = bmtrain("compare", "a", "b", "--json").document["evidence"]
    assert evidence["reason"] == "their losses are different functions"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["a"], 2, "expected two runs at least"),
        (["a", "a"], 2, "'a' is given twice"),
        (["a", "./b/../a"], 2, "is given twice"),
        (["a", "nowhere"], 2, "nowhere: no such directory"),
        (["a", "b", "--metric", "test.acuracy"], 2, "did you mean 'test.accuracy'?"),
        (["a", "b", "--metric", "--quiet"], 2, "expected a value, got the option '--quiet'"),
        ([], 2, "Missing argument 'RUN'"),
    ],
)
def test_a_wrong_command_line_is_told(bmtrain, two, arguments, exit_code, words):
    ended = bmtrain("compare", *arguments)
    assert ended.exit_code == exit_code
    assert words in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("name", "content", "exit_code"),
    [
        ("summary.json", b"{", 7),
        ("config.yaml", b"a: [", 2),
        ("config.yaml", b"extends: ../a/config.yaml", 2),
        ("predictions/test.safetensors", b"\xff" * 100, 3),
        ("predictions/test.safetensors", b"", 3),
    ],
)
def test_a_damaged_run_is_named(bmtrain, two, tmp_path, name, content, exit_code):
    (tmp_path / "b" / name).write_bytes(content)
    ended = bmtrain("compare", "a", "b", "--json")
    assert ended.exit_code == ended.document["exit_code"] == exit_code
    assert f"b/{name}" in ended.err


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_no_link_is_followed_to_predictions(bmtrain, two, tmp_path, nothing_hangs, kind):
    path = tmp_path / "b" / "predictions" / "test.safetensors"
    path.rename(tmp_path / "elsewhere")
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(path)
    ended = bmtrain("compare", "a", "b")
    assert ended.exit_code == 3
    assert "not stored predictions: not a regular file" in ended.err


def test_labels_beyond_the_outputs_are_damage(bmtrain, two, tmp_path):
    for name in "ab":
        give_classes(tmp_path / name, [10, *LABELS[1:]], LABELS)
    ended = bmtrain("compare", "a", "b")
    assert ended.exit_code == 3
    assert "they do not fit the config: labels: expected classes from 0 to 9" in ended.err


def test_outputs_that_are_not_finite_are_not_tested(bmtrain, tmp_path):
    for name, outputs in (("a", np.zeros(9)), ("b", np.full(9, np.nan))):
        run = make_run(tmp_path / name, config=REGRESSION, metrics={"test": {"loss": 1.0}})
        give_numbers(run, np.ones(9), outputs)
    (evidence,) = bmtrain("compare", "a", "b", "--json").document["evidence"]
    assert evidence["reason"] == "values that are not finite"
