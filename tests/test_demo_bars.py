"""What the demo promises, measured: minutes on two cores, clearly better than chance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "sts_hecktor_layout"


def demo(folder: Path, *arguments: str) -> tuple[dict, float]:
    """The run as JSON and its wall-clock seconds; any Python warning is an error."""
    start = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-m", "mtsbench", "run", "--model=deepmts"),
            *("--preset=demo", "--device=cpu", "--json", f"--cache={folder / 'cache'}"),
            *(f"--out={folder / 'runs'}", *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "arning" not in done.stderr
    return json.loads(done.stdout), time.monotonic() - start


def mean(run: dict, metric: str, scores: str = "scores") -> float:
    return sum(trial[scores][metric]["value"] for trial in run["trials"]) / len(run["trials"])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_deepmts_beats_chance_on_the_simulated_cohort_within_minutes(tmp_path):
    run, _ = demo(tmp_path, "--dataset=npc")

    seconds = sum(sum(trial["phase_seconds"].values()) for trial in run["trials"])
    assert len(run["trials"]) == 3
    assert mean(run, "harrell-c") >= 0.60
    assert mean(run, "dice") >= 0.60
    assert mean(run, "harrell-c", "oracle") > mean(run, "harrell-c")
    if (os.cpu_count() or 1) >= 2:
        assert seconds <= 240


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not REAL.is_dir(), reason="the open sarcoma cohort is not beside the checkout")
def test_the_real_cohort_is_read_whole_and_finishes_within_a_quarter_of_an_hour(tmp_path):
    run, seconds = demo(tmp_path, "--dataset=hecktor", f"--data-root={REAL}")

    assert (run["run"]["cases"], run["run"]["events"]) == (51, 27)
    assert run["run"]["without_outcome"] == 0
    assert sum(trial["cases"]["test"] for trial in run["trials"]) == 51
    assert run["failures"] == []
    assert seconds <= 15 * 60
