"""The trial that the conformance kit gives an executor."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mtsbench.executors.practice import SECONDS, PracticeTrial


@pytest.mark.parametrize("fails", [False, True])
def test_it_tells_where_and_when_each_time_it_ran(tmp_path, fails):
    trial = PracticeTrial(tmp_path / "trial", fails)

    for _ in range(2):
        if fails:
            with pytest.raises(RuntimeError, match="fails on purpose"):
                trial()
        else:
            trial()

    lines = [line.split() for line in trial.file.read_text().splitlines()]
    assert [process for process, _, _ in lines] == [str(os.getpid())] * 2
    assert all(float(end) - float(start) >= SECONDS for _, start, end in lines)


def test_a_process_that_runs_it_imports_no_heavy_package():
    code = (
        "import sys, mtsbench.executors.practice\n"
        "print([name for name in ('torch', 'numpy', 'pandas') if name in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "[]\n"
