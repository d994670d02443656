from __future__ import annotations

import getpass
import os
import platform
from importlib.metadata import version

from mtsbench.benchmark import this_machine
from mtsbench.plugins import load_components


def test_the_machine_is_described_by_its_parts():
    found = this_machine.describe_machine("cpu")

    assert found.device == "cpu"
    assert found.device_memory_gib is None
    assert found.cores == os.cpu_count()
    assert found.processor
    assert found.memory_gib is None or 0.5 < found.memory_gib < 100_000


def test_versions_hold_mtsbench_its_plugins_and_torch():
    found = this_machine.versions(load_components())

    assert found["mtsbench"] == version("mtsbench")
    assert found["torch"]
    assert {"mtsbench-deepmts", "mtsbench-cohorts"} <= found.keys()


def test_nothing_tells_whose_machine_it_is():
    text = f"{this_machine.describe_machine('cpu')} {this_machine.versions(load_components())}"
    names = {platform.node(), os.environ.get("HOSTNAME", ""), getpass.getuser()} - {""}

    assert not [name for name in names if f" {name} " in text or f"'{name}'" in text]


def test_the_processor_is_read_from_the_system_or_asked_of_python(tmp_path, monkeypatch):
    listed = tmp_path / "cpuinfo"
    listed.write_text("processor\t: 0\nmodel name\t: A Processor: 2\nmodel name\t: other\n")
    monkeypatch.setattr(this_machine, "PROCESSORS", listed)
    assert this_machine.processor_name() == "A Processor: 2"

    listed.write_text("processor : 0\n")
    assert this_machine.processor_name() in (platform.processor(), platform.machine())
