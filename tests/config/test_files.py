import os
import threading
from pathlib import Path

import pytest

from bmtrain.config.load import load_config
from bmtrain.errors import ConfigError, EnvironmentFault


def refusal(path):
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.where == str(path)
    return caught.value


def write(directory: Path, **texts: str) -> Path:
    """Files NAME.yaml; the path of the first one."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory / f"{next(iter(texts))}.yaml"


def test_a_missing_file_is_named(tmp_path):
    assert refusal(tmp_path / "none.yaml").message == "no such file"


def test_a_directory_is_no_config(tmp_path):
    error = refusal(tmp_path)
    assert (error.message, error.hint) == ("a directory; expected a YAML file", None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(tmp_path):
    path = write(tmp_path, a="name: x")
    path.chmod(0)
    assert refusal(path).message == "not readable: permission denied"


def test_permission_denied_is_told(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(tmp_path / "a.yaml").message == "not readable: permission denied"


def test_a_file_behind_a_file_is_not_there(tmp_path):
    path = write(tmp_path, a="name: x")
    assert refusal(path / "b.yaml").message == "cannot be read: Not a directory"


def test_a_path_with_a_null_byte_is_told():
    assert refusal(Path("a\0b.yaml")).message.startswith("cannot be read: ")


@pytest.mark.parametrize("text", ["", "   \n\n", "\ufeff"])
def test_an_empty_file_is_no_config(tmp_path, text):
    assert refusal(write(tmp_path, a=text)).message == "the file is empty; expected a config"


@pytest.mark.parametrize("text", ["# nothing", "---\n...\n", "null"])
def test_a_file_without_settings_is_no_config(tmp_path, text):
    (diagnostic,) = refusal(write(tmp_path, a=text)).diagnostics
    assert diagnostic.message == "expected a mapping of settings, got nothing"


def test_a_list_is_no_config(tmp_path):
    (diagnostic,) = refusal(write(tmp_path, a="- 1")).diagnostics
    assert diagnostic.message == "expected a mapping of settings, got a list"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x7fELF\x02\x01\x00\x00", "a binary file; expected a YAML file"),
        (b"\x89PNG\r\n\x1a\n", "not a text in UTF-8; expected a YAML file"),
        ("name: x".encode("utf-16"), "not a text in UTF-8; expected a YAML file"),
        (b"#" * 1_000_001, "a config of more than 1 MB; expected a YAML file"),
    ],
)
def test_what_is_no_yaml_text_is_refused(tmp_path, data, message):
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    assert refusal(path).message == message


def test_an_endless_file_is_refused():
    assert refusal(Path("/dev/zero")).message == "a config of more than 1 MB; expected a YAML file"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path, reference):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + reference.replace("\n", "\r\n").encode())
    assert load_config(path).experiment.name == "mnist"


def test_a_base_is_extended(tmp_path, reference):
    path = write(tmp_path, mine="extends: base.yaml\nseed: 5\noptimizer: sgd\n", base=reference)
    experiment = load_config(path).experiment
    assert (experiment.seed, experiment.optimizer.name, experiment.name) == (5, "sgd", "mnist")


def test_a_base_is_sought_beside_the_file_that_extends_it(tmp_path, reference, monkeypatch):
    write(tmp_path / "bases", base="extends: deeper/root.yaml\nseed: 1\n")
    write(tmp_path / "bases" / "deeper", root=reference)
    path = write(tmp_path / "mine", mine="extends: ../bases/base.yaml\nname: mine\n")
    monkeypatch.chdir("/")
    experiment = load_config(path).experiment
    assert (experiment.name, experiment.seed) == ("mine", 1)


def test_a_base_in_the_home_directory_is_found(tmp_path, reference, monkeypatch):
    write(tmp_path / "home", base=reference)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert load_config(write(tmp_path, a="extends: ~/base.yaml")).experiment.name == "mnist"


def test_null_extends_nothing(tmp_path, reference):
    assert load_config(write(tmp_path, a=reference + "extends: null\n")).experiment.name == "mnist"


def test_eight_files_may_be_chained_and_not_nine(tmp_path, reference):
    texts = {f"f{i}": f"extends: f{i + 1}.yaml\n" for i in range(7)} | {"f7": reference}
    assert load_config(write(tmp_path, **texts)).experiment.name == "mnist"
    write(tmp_path, more="extends: f0.yaml")
    (diagnostic,) = refusal(tmp_path / "more.yaml").diagnostics
    assert diagnostic.message == "a chain of more than 8 files"
    assert diagnostic.source == str(tmp_path / "f6.yaml")


def test_a_cycle_is_refused(tmp_path):
    path = write(tmp_path, a="extends: b.yaml\n", b="seed: 1\nextends: ./a.yaml\n")
    (diagnostic,) = refusal(path).diagnostics
    assert diagnostic.message == f"a cycle: {tmp_path / 'a.yaml'} is already in this chain"
    assert (diagnostic.source, diagnostic.line) == (str(tmp_path / "b.yaml"), 2)


def test_a_file_that_extends_itself_through_a_link_is_refused(tmp_path):
    path = write(tmp_path, a="extends: link.yaml\n")
    (tmp_path / "link.yaml").symlink_to(path)
    assert "a cycle" in refusal(path).diagnostics[0].message


@pytest.mark.parametrize(
    ("extends", "words"),
    [
        ("none.yaml", "none.yaml: no such file"),
        ("[a.yaml, b.yaml]", "expected the path of one file, got a list"),
        ("3", "expected the path of one file, got 3"),
        ("''", "a directory; expected a YAML file"),
        ('"a\\0b"', "expected the path of one file, got 'a�b'"),
        ("x" * 4097, f"expected the path of one file, got '{'x' * 59}…'"),
    ],
)
def test_a_base_that_cannot_be_read_is_shown_where_it_is_named(tmp_path, extends, words):
    (diagnostic,) = refusal(write(tmp_path, a=f"seed: 1\nextends: {extends}\n")).diagnostics
    assert words in diagnostic.message
    assert (diagnostic.line, diagnostic.column, diagnostic.key) == (2, 10, "extends")


def test_what_is_wrong_above_a_base_that_cannot_be_read_is_told_and_what_is_missing_is_not(
    tmp_path,
):
    config = """\
extends: none.yaml
sede: 1
seed: zero
optimizer: {learning_rte: 1}
training: {epochs: -1}
"""
    found = refusal(write(tmp_path, a=config)).diagnostics
    assert [(d.line, d.key) for d in found] == [
        (1, "extends"), (2, "sede"), (3, "seed"), (5, "training.epochs")
    ]  # fmt: skip


@pytest.mark.usefixtures("nothing_hangs")
def test_a_base_is_a_file_and_no_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (diagnostic,) = refusal(write(tmp_path, a="extends: pipe.yaml\n")).diagnostics
    assert "pipe.yaml: not a regular file; expected a YAML file" in diagnostic.message


def test_a_config_may_come_through_a_pipe(tmp_path, reference):
    """<(command) in a shell is one: the user named it, no file did."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(reference,))
    writer.start()
    assert load_config(tmp_path / "pipe").experiment.seed == 0
    writer.join()


def test_a_runs_own_config_extends_nothing(tmp_path, reference):
    path = write(tmp_path, a="extends: base.yaml\n", base=reference)
    assert load_config(path).experiment.seed == 0
    with pytest.raises(ConfigError) as caught:
        load_config(path, may_extend=False)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "a run's own config is whole; it cannot name another file"
    assert (diagnostic.line, diagnostic.key) == (1, "extends")


def test_errors_in_a_base_name_the_base(tmp_path, reference):
    base = reference.replace("seed: 0", "seed: zero")
    path = write(tmp_path, a="extends: base.yaml\nsede: 1\n", base=base)
    found = refusal(path).diagnostics
    assert [(Path(d.source).name, d.line) for d in found] == [("a.yaml", 2), ("base.yaml", 2)]


def test_a_broken_base_is_reported_with_what_is_broken_in_the_file(tmp_path):
    path = write(tmp_path, a="extends: base.yaml\nseed: !!int 1\n", base="a: [1\n")
    found = refusal(path).diagnostics
    assert [(Path(d.source).name, d.line) for d in found] == [("a.yaml", 2), ("base.yaml", 1)]


def with_source(reference, source):
    return reference.replace("source: mnist", f"source: {source}")


def test_a_path_is_relative_to_the_file_that_wrote_it(tmp_path, reference, monkeypatch):
    monkeypatch.chdir("/")
    base = write(tmp_path / "bases", base=with_source(reference, "./x/../digits"))
    path = write(tmp_path / "mine", mine="extends: ../bases/base.yaml")
    assert load_config(base).experiment.data.source == str(tmp_path / "bases" / "digits")
    assert load_config(path).experiment.data.source == str(tmp_path / "bases" / "digits")


def test_a_way_back_from_a_linked_directory_is_that_of_the_file_system(tmp_path, reference):
    """``link/..`` is the parent of what the link leads to; a link at the end stays one."""
    there = tmp_path / "there" / "deep"
    there.mkdir(parents=True)
    (tmp_path / "there" / "digits").mkdir()
    (tmp_path / "link").symlink_to(there)
    (tmp_path / "there" / "alias").symlink_to(tmp_path / "there" / "digits")
    for written in ("./link/../digits", "./link/../alias", f"{tmp_path}/link/../alias"):
        path = write(tmp_path, a=with_source(reference, written))
        source = Path(load_config(path).experiment.data.source)
        assert source.samefile(tmp_path / written)
        assert source == tmp_path / "there" / Path(written).name
    base = write(tmp_path / "there", base=with_source(reference, "./digits"))
    path = write(tmp_path / "link", mine="extends: ../base.yaml")
    assert load_config(base).experiment.data.source == str(tmp_path / "there" / "digits")
    assert load_config(path).experiment.data.source == str(tmp_path / "there" / "digits")
    path = write(tmp_path, a=with_source(reference, "./link/deeper"))
    assert load_config(path).experiment.data.source == str(tmp_path / "link" / "deeper")


def test_a_path_in_an_override_is_relative_to_the_current_directory(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = load("data.source=digits/").experiment.data.source
    assert source == str(tmp_path / "digits")


def test_a_relative_config_path_gives_absolute_data_paths(tmp_path, reference, monkeypatch):
    write(tmp_path, a=with_source(reference, "digits.npz"))
    monkeypatch.chdir(tmp_path)
    assert load_config(Path("a.yaml")).experiment.data.source == str(tmp_path / "digits.npz")


def test_absolute_and_home_paths_are_kept(load, reference, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    for written, meant in (("/data/x", "/data/x"), ("~/x.npz", "/home/me/x.npz")):
        assert load(text=with_source(reference, written)).experiment.data.source == meant


def test_a_bare_word_names_a_bundled_set(load):
    assert load().experiment.data.source == "mnist"


def test_a_missing_current_directory_is_an_environment_fault(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(EnvironmentFault, match="the current directory cannot be used"):
        load_config(Path("a.yaml"))


def test_a_directory_whose_name_is_no_utf_8_is_refused(tmp_path, reference):
    directory = tmp_path / os.fsdecode(b"\xff")
    path = write(directory, a=with_source(reference, "./digits"))
    (diagnostic,) = refusal(path).diagnostics
    assert (diagnostic.key, diagnostic.line) == ("data.source", 3)
    assert "not in UTF-8" in diagnostic.message


def test_files_of_splits_start_at_the_text_that_names_them(tmp_path, reference):
    """The base's beside the base, an override's in the current directory; numbers stay numbers."""
    base = with_source(reference, "./x.csv, splits: {validation: ../val.csv, test: ./a/t.csv}")
    write(tmp_path / "bases", base=base)
    path = write(
        tmp_path / "mine", a="extends: ../bases/base.yaml\ndata: {splits: {test: ~/t.csv}}"
    )
    splits = load_config(path).experiment.data.splits
    assert splits.validation == str(tmp_path / "val.csv")
    assert splits.test == str(Path.home() / "t.csv")
    splits = load_config(
        path, ["data.splits.test=t.csv", "data.splits.validation=0.1"]
    ).experiment.data.splits
    assert (splits.test, splits.validation) == (str(Path.cwd() / "t.csv"), 0.1)
