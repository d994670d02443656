"""What a training step of each model costs, for the comparison's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.report.text_table import Table

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis
    from mtsbench.records import StoredProfile


def profile_table(analysis: Analysis) -> Table:
    """Step time, its parts, work, share of the machine's limit; only models that were profiled."""
    profiled = [(entry.label, entry.run.profile) for entry in analysis.entries]
    return Table(
        name="profile",
        caption=(
            "A training step as `mtsbench profile` measured it: median time with the distance of "
            "its quartiles, share of it spent on reading and augmenting cases, cases a second, "
            "arithmetic and traffic of the operators that ran, and the share that is reached of "
            "what the machine can copy (memory) or multiply (arithmetic). Energy where the driver "
            "tells it. Times of different devices are not comparable."
        ),
        columns=(
            *("model", "device", "step ms", "IQR", "data", "cases/s", "GFLOP", "GB"),
            *("limit", "reached", "memory MiB", "inference ms", "J/step"),
        ),
        rows=tuple(_row(label, profile) for label, profile in profiled if profile is not None),
    )


def _row(label: str, profile: StoredProfile) -> tuple[str, ...]:
    data = (profile.phases["data"] + profile.phases["augmentation"]) / profile.step
    return (
        label,
        profile.platform.get("cuda_device", profile.device),
        f"{profile.step * 1e3:.1f}",
        f"{profile.spread * 1e3:.1f}",
        f"{data:.0%}",
        f"{profile.volumes:.1f}",
        f"{profile.flops / 1e9:.1f}",
        f"{profile.bytes / 1e9:.2f}",
        profile.limit,
        f"{profile.share:.0%}",
        f"{profile.memory:.0f}",
        f"{profile.inference * 1e3:.1f}",
        "–" if profile.energy is None else f"{profile.energy:.0f}",
    )
