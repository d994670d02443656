"""pyradiomics beside the radiomics plugin; with a stand-in where pyradiomics is not installed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "peers"
# Answers as pyradiomics would, with one value of its own; what is tested is the asking.
STAND_IN = """
import json, sys
print(json.dumps({"version": "stand-in"}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    assert open(asked["image"], "rb").read(4) and open(asked["mask"], "rb").read(4)
    values = {"original_firstorder_Minimum": 1e9, "original_nothing_Else": asked["bin_width"]}
    print(json.dumps({"seconds": 2.0, "values": values}), flush=True)
"""


@pytest.fixture
def script(monkeypatch):
    pytest.importorskip("mtsbench_radiomics")
    pytest.importorskip("mtsbench_cohorts")
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("pyradiomics_peer")


def test_both_take_turns_on_every_case(script, tmp_path, monkeypatch):
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setattr(script, "__file__", str(tmp_path / "stand_in.py"))
    peer = script.Peer(Path(sys.executable))
    try:
        found = script.take_turns(peer, cases=1, repeats=2)
    finally:
        peer.close()

    assert found["pyradiomics"] == "stand-in"
    assert found["seconds_of_a_case"]["pyradiomics"] == [4.0, 4.0]  # PET and CT
    ours = found["seconds_of_a_case"]["flash-radiomics"]
    assert found["ratios"] == pytest.approx([4.0 / one for one in ours])
    assert found["features_compared"] == 2
    assert found["differing"] == {"firstorder_Minimum": pytest.approx(1.0, abs=0.01)}
    assert "stand-in, 1 simulated patients" in script.table(found)[0]


def test_an_environment_without_pyradiomics_says_what_is_missing(script, tmp_path, monkeypatch):
    (tmp_path / "absent.py").write_text("import a_package_that_nobody_installs")
    monkeypatch.setattr(script, "__file__", str(tmp_path / "absent.py"))

    with pytest.raises(SystemExit, match=r"cannot be asked: ModuleNotFoundError: No module named"):
        script.Peer(Path(sys.executable))


def test_values_that_agree_are_not_listed(script):
    theirs, ours = {"original_a": 1.0, "original_b": 0.0}, {"original_a": 1.0, "original_b": 0.0}

    assert script.differing([(theirs, ours)]) == {}
    assert script.differing([(theirs, {"original_a": 2.0})]) == {"a": 0.5}
