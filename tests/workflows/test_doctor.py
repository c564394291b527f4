"""``bmtrain doctor``, the real one."""

import pytest


@pytest.mark.slow
def test_this_machine_is_fit_to_train(bmtrain, tmp_path):
    ended = bmtrain("doctor", "--json", directory=tmp_path)
    assert ended.exit_code == 0, ended.out
    document = ended.document
    assert (document["schema_version"], document["status"]) == (1, "passed")
    titles = [section["title"] for section in document["sections"]]
    assert titles == ["installation", "machine", "surroundings", "tensorflow", "training"]
    facts = document["sections"][-1]["facts"]
    assert facts["test_accuracy"] > 0.95
    assert facts["share"] > 0.4 * facts["expected_share"]
    assert list(tmp_path.iterdir()) == []
