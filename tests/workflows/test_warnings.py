"""train says what check knows of the data without reading all of it."""


def test_a_missing_test_split_is_told_and_nothing_where_there_is_one(command, tmp_path):
    words = ("training.epochs=1", "training.engine=graph", "--quiet", "--run-dir")
    silent = command("train", "points.yaml", *words, tmp_path / "a")
    assert silent.err == ""
    ended = command("train", "points.yaml", "data.splits.test=null", *words, tmp_path / "b")
    assert ended.exit_code == 0
    assert ended.err.startswith("warning: no test split: ")
    assert "no test split" in (tmp_path / "b" / "log.txt").read_text()


def test_targets_that_a_network_does_not_reach_are_told(command, project, tmp_path):
    lines = (project / "line.csv").read_text().splitlines()
    priced = [
        lines[0],
        *(f"{line.rpartition(',')[0]},{1000 * i}" for i, line in enumerate(lines[1:])),
    ]
    (tmp_path / "prices.csv").write_text("\n".join(priced))
    words = (
        f"data.source={tmp_path / 'prices.csv'}",
        "training.epochs=1",
        "--run-dir",
        tmp_path / "r",
    )
    ended = command("train", "line.yaml", *words)
    assert "warning: targets are large: " in ended.err
