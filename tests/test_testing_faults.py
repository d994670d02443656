"""No check of the kit is there in vain: each has caught a fault planted for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtsbench.testing.checking import CONTRACTS
from mtsbench.testing.contract import checks_of
from mtsbench.testing.packaging import PluginContract

KINDS = {f"{kind}s" if kind != "loss" else "losses": one for kind, one in CONTRACTS.items()}
CONTRACT_OF = {**KINDS, "packaging": PluginContract}


@pytest.fixture(scope="session")
def module_of(load):
    """Kind to its test module, whose FAULTS are (check, fault, message) and tests themselves."""
    return {kind: load(f"test_testing_{kind}") for kind in CONTRACT_OF}


@pytest.mark.parametrize("kind", CONTRACT_OF)
def test_every_check_has_a_fault_that_it_catches(module_of, kind):
    module = module_of[kind]
    checks = set(checks_of(CONTRACT_OF[kind]))
    listed = {f"test_{row[0]}" for row in module.FAULTS}
    text = Path(module.__file__).read_text()
    # Faults that need more than a class have a test of their own, which calls the check.
    called = {check for check in checks if f"().{check}()" in text}

    assert listed <= checks
    assert checks - listed - called == set()


def test_there_are_many_faults_and_none_twice(module_of):
    faults = [(kind, *row[:2]) for kind, module in module_of.items() for row in module.FAULTS]

    assert len(faults) >= 110
    assert len(set(faults)) == len(faults)
