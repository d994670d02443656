from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import entry_points
from typing import get_type_hints

import pytest
from mtsbench_cohorts import plugin


def test_the_entry_point_leads_to_the_plugin():
    (found,) = entry_points(group="mtsbench", name="cohorts")

    assert found.load() is plugin


def test_the_datasets_are_announced_those_with_images_first():
    assert [component.name for component in plugin.mtsbench_datasets()] == [
        "npc",
        "hecktor",
        "veteran",
        "whas500",
        "gbsg2",
        "metabric",
        "support",
        "gbsg",
    ]


@pytest.mark.parametrize("component", list(plugin.mtsbench_datasets()), ids=lambda one: one.name)
def test_every_option_has_a_type_and_a_default(component):
    build = component.build
    hints = get_type_hints(build if inspect.isfunction(build) else type(build).__call__)
    parameters = list(inspect.signature(component.build).parameters.values())

    assert parameters[0].name == "root"
    for option in parameters[1:]:
        assert option.kind is inspect.Parameter.KEYWORD_ONLY
        assert option.default is not inspect.Parameter.empty
        assert option.name in hints


def test_npc_is_built_with_its_options():
    npc = next(iter(plugin.mtsbench_datasets()))

    assert npc.build(None, cases=5, cohort_seed=1).case_ids[-1] == "npc-0005"


def test_announcing_and_simulated_outcomes_import_nothing_heavy():
    code = (
        "import sys; from mtsbench_cohorts import plugin; list(plugin.mtsbench_datasets()); "
        "heavy = {'torch', 'SimpleITK', 'pandas', 'scipy', 'matplotlib'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules); "
        "plugin.build_npc(None, cases=3).outcomes('pfs'); "
        "assert not {'torch', 'SimpleITK', 'pandas'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
