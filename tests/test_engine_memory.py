"""How much memory cases may take: what is asked for, or a share of what is free."""

from __future__ import annotations

import os

import pytest

from mtsbench.engine.memory import SHARE, case_memory, free_host_memory

GIB = 2**30


@pytest.fixture
def machine(tmp_path):
    """A file system with 8 GiB available, and control groups as told."""

    def make(cgroup=None, **files):
        (tmp_path / "proc/self").mkdir(parents=True)
        available = 8 * GIB // 1024
        (tmp_path / "proc/meminfo").write_text(
            f"MemTotal:  99999999 kB\nMemFree: 1 kB\nMemAvailable:   {available} kB\n"
        )
        if cgroup is not None:
            (tmp_path / "proc/self/cgroup").write_text(cgroup)
        for name, text in files.items():
            path = tmp_path / "sys/fs/cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def group(folder, limit, used, cached=0):
    return {
        f"{folder}memory.max": f"{limit}\n",
        f"{folder}memory.current": f"{used}\n",
        f"{folder}memory.stat": f"anon 5\nfile {cached}\n",
    }


def test_what_is_asked_for_is_given_whatever_is_free():
    assert case_memory(3, "cpu", trials=4) == 3 * 2**20
    assert case_memory(0, "cpu") == 0


def test_by_default_trials_share_a_part_of_what_is_free(monkeypatch):
    monkeypatch.setattr("mtsbench.engine.memory.free_host_memory", lambda: 8 * GIB)

    assert case_memory(None, "cpu") == SHARE * 8 * GIB
    assert case_memory(None, "cpu", trials=4) == SHARE * 2 * GIB


def test_free_memory_is_what_the_kernel_says_is_available(machine):
    assert free_host_memory(machine()) == 8 * GIB


def test_this_machine_has_some_memory_but_not_more_than_it_has():
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    assert 0 < free_host_memory() <= physical


def test_without_proc_half_of_the_memory_counts_as_free(tmp_path):
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    assert free_host_memory(tmp_path) == physical // 2


@pytest.mark.parametrize(
    ("cgroup", "files", "free"),
    [
        ("0::/\n", group("", 4 * GIB, GIB), 3 * GIB),
        ("0::/\n", group("", 4 * GIB, 4 * GIB, 2 * GIB), 2 * GIB),
        ("0::/\n", group("", "max", GIB), 8 * GIB),
        ("0::/\n", group("", GIB, 2 * GIB), 0),
        ("0::/job/step\n", {**group("job/", 2 * GIB, GIB), **group("job/step/", "max", 0)}, GIB),
        ("0::/elsewhere\n", {}, 8 * GIB),
        (
            "5:cpu:/x\n4:memory:/job\n",
            {
                "memory/job/memory.limit_in_bytes": str(5 * GIB),
                "memory/job/memory.usage_in_bytes": str(GIB),
                "memory/job/memory.stat": f"cache 1\ntotal_cache {GIB}\n",
            },
            5 * GIB,
        ),
    ],
)
def test_the_limit_of_a_control_group_or_one_around_it_holds(machine, cgroup, files, free):
    assert free_host_memory(machine(cgroup, **files)) == free
