"""What a record says of the machine and the code that made it."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

RECORDS = "benchmarks/records"
NOTED_PACKAGES = ("torch", "numpy", "scipy", "SimpleITK")


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss would carry the launching process's peak over the exec.
        peak_kib = next(line for line in status.read_text().splitlines() if "VmHWM" in line)
        return round(int(peak_kib.split()[1]) / 1024, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts in bytes, other systems in KiB.
    return round(peak / (1024**2 if sys.platform == "darwin" else 1024), 1)


def platform_versions() -> Mapping[str, str]:
    """Python, operating system, processor, threads and the packages that do the arithmetic."""
    import torch

    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": str(torch.get_num_threads()),
        **{name: version(name) for name in NOTED_PACKAGES},
    }
    if torch.cuda.is_available():
        found["cuda_device"] = torch.cuda.get_device_name()
    return found


def git_state() -> str | None:
    """Commit of the checkout mtsbench runs from, `+changes` if edited; None if installed."""
    folder = Path(__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        # A record that is being written is a result, and no change of the code.
        status = _git(folder, "status", "--porcelain", "--", ":/", f":(exclude,top){RECORDS}")
        return commit + ("+changes" if status else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
