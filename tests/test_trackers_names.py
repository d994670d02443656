from __future__ import annotations

from mtsbench.records import StoredScore
from mtsbench.trackers.names import all_scores, choices


def test_choices_are_flat_and_no_choice_is_lost(make_description):
    found = choices(make_description(dataset_options={"cases": 18, "root": None}))

    assert found == {
        "dataset": "npc",
        "fingerprint": "f" * 64,
        "endpoint": "pfs",
        "preset": "demo",
        "protocol.repeats": 1,
        "protocol.folds": 3,
        "protocol.seeds": "[0]",
        "model": "deepmts",
        "options.width": 8,
        "needs_mask_at_test": False,
        "versions.mtsbench": "0.1.0",
        "dataset_options.cases": 18,
        "dataset_options.root": "null",
        "simulated": True,
    }


def test_scores_of_the_oracle_and_of_factors_have_names_of_their_own(make_record):
    undefined = StoredScore(value=None, reason="constant")

    found = all_scores(make_record(recovery={"volume": undefined}))

    assert list(found) == ["score/harrell-c", "score/dice", "oracle/harrell-c", "recovery/volume"]
    assert found["recovery/volume"] == undefined
