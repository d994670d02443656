"""Every field case of survival and statistics is held by a test that carries its id."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT.parent / "shared" / "field-cases" / "survival" / "cases.json"


@pytest.mark.skipif(not CASES.is_file(), reason=f"the field cases are not there: {CASES}")
def test_every_case_is_listed_by_its_id():
    groups = json.loads(CASES.read_text()).values()
    wanted = {
        one["id"] for group in groups for one in ([group] if isinstance(group, dict) else group)
    }
    files = [
        *ROOT.glob("tests/test_field_cases_*.py"),
        *ROOT.glob("plugins/*/tests/test_field_cases_*.py"),
    ]

    listed = {name for file in files for name in re.findall(r'"([A-Z]\d)"', file.read_text())}

    assert len(wanted) > 30
    assert wanted <= listed
