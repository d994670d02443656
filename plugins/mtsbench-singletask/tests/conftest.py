"""The phantom patients of core's tests, found beside this package in the repository."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

PHANTOM = Path(__file__).resolve().parents[3] / "tests" / "phantom.py"


@pytest.fixture(scope="module")
def phantom():
    specification = importlib.util.spec_from_file_location("phantom", PHANTOM)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield module
    torch.set_num_threads(threads)
