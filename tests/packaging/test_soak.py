"""The soak of the store, in a small dose; and that it sees what a broken store loses."""

import pytest


@pytest.fixture(scope="module")
def soak(script):
    return script("soak")


def test_killed_saves_lose_nothing(soak, monkeypatch):
    monkeypatch.setattr(soak, "LONGEST_S", 0.3)  # some saves, on a slow machine too
    figures = soak.soak_saves(25)
    assert figures["problems"] == []
    assert figures["saves_acknowledged"] > 0


def test_what_a_store_lost_is_told(soak, tmp_path):
    store = soak.CheckpointStore(tmp_path / "checkpoints")
    for step in (1, 2, 3, 4):
        store.save(soak.checkpoint_at(step), best=step == 3)
    assert soak.lost(store.directory, acknowledged=4) == []
    assert soak.lost(store.directory, acknowledged=5) == [
        "step 5 was acknowledged, the newest is 4"
    ]
    (store.directory / "step-00000003" / "model.safetensors").write_bytes(b"")
    told = soak.lost(store.directory, acknowledged=4)
    assert told[0].startswith("step-00000003: ")
    assert told[1] == "no best checkpoint at step 4"
