"""The table of profiles: only what was measured, in units that can be read."""

from __future__ import annotations

from types import SimpleNamespace

from mtsbench.records import StoredProfile
from mtsbench.report.profile_table import profile_table

PROFILE = StoredProfile(
    device="cuda",
    steps=70,
    step=0.2,
    spread=0.004,
    phases={"data": 0.002, "augmentation": 0.006, "forward": 0.1},
    volumes=40.0,
    inference=0.0125,
    memory=2048.0,
    parameters=7,
    flops=3e12,
    bytes=2.5e11,
    bandwidth=2e12,
    matrix_rate=5e14,
    limit="memory",
    share=0.625,
    energy=61.2,
    no_energy=None,
    platform={"cuda_device": "NVIDIA H100"},
)


def analysis(**profiles):
    entries = [
        SimpleNamespace(label=label, run=SimpleNamespace(profile=profile))
        for label, profile in profiles.items()
    ]
    return SimpleNamespace(entries=entries)


def test_a_profiled_model_has_a_row_and_another_has_none():
    table = profile_table(analysis(deepmts=PROFILE, other=None))

    assert [dict(zip(table.columns, row, strict=True)) for row in table.rows] == [
        {
            "model": "deepmts",
            "device": "NVIDIA H100",
            "step ms": "200.0",
            "IQR": "4.0",
            "data": "4%",
            "cases/s": "40.0",
            "GFLOP": "3000.0",
            "GB": "250.00",
            "limit": "memory",
            "reached": "62%",
            "memory MiB": "2048",
            "inference ms": "12.5",
            "J/step": "61",
        }
    ]


def test_energy_that_nothing_tells_is_a_dash():
    quiet = PROFILE.model_copy(update={"energy": None, "platform": {}, "device": "cpu"})

    row = profile_table(analysis(deepmts=quiet)).rows[0]

    assert (row[1], row[-1]) == ("cpu", "–")
