"""Where explanations go, and where they do not."""

import pytest

from bmtrain.errors import EnvironmentFault
from bmtrain.workflows.explaining.sections import explained_page
from bmtrain.workflows.explaining.writing import plain, require_directory


def test_a_link_a_file_and_a_directory_of_something_else_are_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(EnvironmentFault, match="no directory"):
            require_directory(tmp_path / name, force=True)
    with pytest.raises(EnvironmentFault, match="not empty"):
        require_directory(tmp_path, force=False)
    require_directory(tmp_path, force=True)
    require_directory(tmp_path / "absent", force=False)
    (tmp_path / "elsewhere" / "explanations.json").touch()
    require_directory(tmp_path / "elsewhere", force=False)


def test_what_is_not_finite_is_null():
    assert plain({"a": [1.0, float("nan"), (float("inf"),)], "b": "c"}) == {
        "a": [1.0, None, [None]],
        "b": "c",
    }


@pytest.mark.parametrize(
    ("methods", "titles"), [(["permutation"], [""]), (["occlusion"], ["", "Examples"])]
)
def test_examples_have_a_part_where_a_method_is_about_them(methods, titles):
    document = {
        "name": "n",
        "checkpoint": "c",
        "split": "test",
        "kind": "table",
        "methods": methods,
        "explained": "logit",
        "baseline": "0",
        "permutation": None,
        "examples": [],
    }
    page = explained_page(document, [], None, {})
    assert [part.title for part in page.parts] == titles
