"""Fixtures that several test modules share."""

from __future__ import annotations

import importlib.util
import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from mtsbench.comparison.comparable import FinishedRun
from mtsbench.records import FailedTrial, RunDescription, StoredScore, TrialRecord


def load_module(name: str):
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load():
    """Loads a module of this folder by name."""
    return load_module


@pytest.fixture
def install(monkeypatch):
    """Puts fake distributions on sys.path; the really installed plugins are switched off."""
    installed = ",".join(entry_point.name for entry_point in entry_points(group="mtsbench"))
    monkeypatch.setenv("MTSBENCH_DISABLE", installed)
    monkeypatch.delenv("MTSBENCH_STRICT", raising=False)

    def put(*folders: str) -> None:
        for folder in folders:
            monkeypatch.syspath_prepend(Path(__file__).parent / "data" / folder)

    return put


@pytest.fixture
def tiny_installed(tmp_path, install, monkeypatch):
    """Dataset `tiny` and model `uptake` as the only plugin, in the folder that is returned."""
    install()
    folder = tmp_path / "installed"
    metadata = folder / "example_tiny-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: example-tiny\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[mtsbench]\ntiny = tiny_plugin\n")
    for name in ("tiny.py", "tiny_plugin.py"):
        (folder / name).symlink_to(Path(__file__).parent / name)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def install_beside(monkeypatch):
    """Puts fake distributions on sys.path beside the really installed plugins."""
    monkeypatch.delenv("MTSBENCH_DISABLE", raising=False)
    monkeypatch.delenv("MTSBENCH_STRICT", raising=False)

    def put(*folders: str) -> None:
        for folder in folders:
            monkeypatch.syspath_prepend(Path(__file__).parent / "data" / folder)

    return put


@pytest.fixture(scope="session")
def tiny():
    """The module `tiny.py`: a dataset in memory and a model without a network."""
    return load_module("tiny")


@pytest.fixture(scope="session")
def documents():
    """The module `documents.py`, which does what a document says."""
    return load_module("documents")


@pytest.fixture(scope="module")
def phantom():
    """The module `phantom.py`, which imports torch, so only tests that ask for it pay.

    Its networks are too small to share: on a busy machine a second thread costs ten times more
    than it saves.
    """
    import torch

    module = load_module("phantom")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield module
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def contract_of():
    """Makes a contract of one component in memory: `contract_of(LossContract, build, ...)`.

    Further arguments are attributes of the contract; `record` changes the announced record.
    """
    from mtsbench.announcements import Announced, Plugin
    from mtsbench.components import Component, ModelComponent
    from mtsbench.plugins import Components

    def make(contract, build, record=None, **attributes):
        announce = ModelComponent if contract.kind == "model" else Component
        usual = {"name": "mine", "summary": "Mine", "reference": "https://example.org/"}
        component = announce(build=build, **{**usual, **(record or {})})
        announced = Announced(
            component=component, kind=contract.kind, distribution="mine", version="1"
        )
        found = Components(
            plugins=(
                Plugin(
                    entry_point="mine", distribution="mine", version="1", announced=(announced,)
                ),
            )
        )
        lookup = {"component": "mine", "components": classmethod(lambda cls: found)}
        return type("Mine", (contract,), {**lookup, **attributes})

    return make


@pytest.fixture(scope="session")
def verdicts():
    """Runs a contract: name of each check to (status, reason)."""

    def run(contract):
        from mtsbench.testing.checking import check_contract

        found = check_contract(contract, contract.kind, contract.component)
        return {one.check.removeprefix("test_"): (one.status, one.reason) for one in found}

    return run


@pytest.fixture(scope="session")
def oracle():
    """Reads a file of `oracles/`, whose script says where its numbers come from."""
    return lambda name: json.loads((Path(__file__).parent / "oracles" / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def make_description():
    def make(**changes) -> RunDescription:
        facts = {
            "name": "npc-pfs-deepmts-demo-01234567",
            "question": {
                "dataset": "npc",
                "fingerprint": "f" * 64,
                "endpoint": "pfs",
                "preset": "demo",
                "protocol": {"repeats": 1, "folds": 3, "seeds": [0]},
            },
            "method": {
                "model": "deepmts",
                "options": {"width": 8},
                "needs_mask_at_test": False,
                "versions": {"mtsbench": "0.1.0"},
            },
            "dataset_options": {"cases": 150},
            "splits_sha256": "5" * 64,
            "simulated": True,
            "cases": 150,
            "events": 74,
            "without_outcome": 0,
            "trials": 3,
        }
        return RunDescription(**{**facts, **changes})

    return make


@pytest.fixture(scope="session")
def make_record():
    def make(fold: int = 0, repeat: int = 0, seed: int = 0, **changes) -> TrialRecord:
        facts = {
            "key": f"{repeat}{fold}{seed}".ljust(64, "a"),
            "repeat": repeat,
            "fold": fold,
            "seed": seed,
            "split_sha256": "5" * 64,
            "method_sha256": "e" * 64,
            "cases": {"train": 80, "validation": 20, "test": 50},
            "events": {"train": 40, "validation": 10, "test": 24},
            "scores": {
                "harrell-c": StoredScore(value=0.7 + fold / 100, cases=50),
                "dice": StoredScore(value=0.6, cases=49),
            },
            "oracle": {"harrell-c": StoredScore(value=0.8, cases=50)},
            "simulated": True,
            "phase_seconds": {"prepare": 1.0, "fit": 60.0, "predict": 2.0, "score": 1.0},
            "peak_memory_mib": 900.0,
            "device": "cpu",
            "platform": {"python": "3.12", "torch": "2.13.0"},
            "git": None,
        }
        return TrialRecord(**{**facts, **changes})

    return make


@pytest.fixture(scope="session")
def make_run(make_description, make_record):
    def make(description=None, records=None, failures=(), label: str = "deepmts") -> FinishedRun:
        return FinishedRun(
            label=label,
            description=description or make_description(),
            records=tuple(make_record(fold) for fold in range(3)) if records is None else records,
            failures=tuple(failures),
        )

    return make


@pytest.fixture(scope="session")
def make_failure():
    def make(fold: int = 0, error: str = "the training loss became nan") -> FailedTrial:
        return FailedTrial(
            key=f"0{fold}0".ljust(64, "a"),
            repeat=0,
            fold=fold,
            seed=0,
            error=error,
            traceback="Traceback ...",
        )

    return make


@pytest.fixture
def stored(tmp_path, make_description, make_record):
    """Makes a finished run on disk: `stored(label="b", noise=1.0, ...)`, see `stored.py`."""
    module = load_module("stored")

    def make(**settings):
        return module.make(tmp_path / "stored", make_description, make_record, **settings)

    return make


@pytest.fixture
def analysed(stored):
    """Makes runs and analyses them: `analysed("a", {"a": 0.5, "b": 2.0}, folds=5)`."""
    from mtsbench.comparison.analysis import analyse
    from mtsbench.comparison.comparable import read_run

    def make(reference, noises, only=None, **settings):
        stores = [
            stored(label=label, noise=noise, **settings, **(only or {}).get(label, {}))
            for label, noise in noises.items()
        ]
        return analyse([(read_run(store), store) for store in stores], reference)

    return make
