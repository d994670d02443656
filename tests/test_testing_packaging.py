"""One broken package for each check, and the check that names its fault."""

from __future__ import annotations

import itertools

import pytest

from mtsbench.testing import BrokenPromise, NotApplicable, PluginContract

GOOD = """
from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl

def build(*, scale: float = 1.0):
    return scale

@hookimpl
def mtsbench_losses():
    yield Component(name="own", summary="Own", build=build, reference="https://example.org/")
"""
BOUNDED = "mtsbench>=0.1,<0.2"


numbers = itertools.count()  # a module is imported once, so each has a name of its own


@pytest.fixture
def package(tmp_path, monkeypatch, install):
    """Puts a distribution with one module of hooks on sys.path; gives its contract."""
    install()

    def put(name: str = "mine", code: str = GOOD, requires: str | None = BOUNDED):
        folder = tmp_path / name
        module = f"{name}_hooks_{next(numbers)}"
        metadata = folder / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{module}.py").write_text(code)
        wanted = "" if requires is None else f"Requires-Dist: {requires}\n"
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{wanted}"
        )
        (metadata / "entry_points.txt").write_text(f"[mtsbench]\n{name} = {module}\n")
        monkeypatch.syspath_prepend(folder)
        return type("Mine", (PluginContract,), {"distribution": name})

    return put


FAULTS = [
    (
        "the_plugin_loads_in_a_fresh_process",
        "import absent_one",
        "No module named 'absent_one'",
    ),
    (
        "the_plugin_loads_in_a_fresh_process",
        GOOD.replace("mtsbench_losses", "mtsbench_loses"),
        "no hook is called 'mtsbench_loses'",
    ),
    ("the_plugin_loads_in_a_fresh_process", "import os; os._exit(7)", "a fresh process fails"),
    (
        "the_plugin_loads_in_a_fresh_process",
        GOOD.replace('name="own"', 'name="Own Loss"'),
        "component name must be lower-case words",
    ),
    (
        "the_plugin_loads_in_a_fresh_process",
        GOOD.replace('"Own"', '"Own" * 30'),
        "needs a one-line summary of 1 to 80 characters, got 90",
    ),
    (
        "the_plugin_loads_in_a_fresh_process",
        GOOD.replace('"https://example.org/"', '"Cox 1972"'),
        "needs a DOI or other URL as reference, got 'Cox 1972'",
    ),
    (
        "the_plugin_loads_in_a_fresh_process",
        GOOD.replace("yield Component(", "yield dict("),
        "must give records of type Component, got a dict",
    ),
    (
        "the_plugin_loads_in_a_fresh_process",
        GOOD.replace("@hookimpl\n", ""),
        "is not marked with @mtsbench.hookspecs.hookimpl",
    ),
    ("listing_imports_nothing_heavy", f"import scipy{GOOD}", r"imports \['scipy'\]"),
    ("the_plugin_announces_something", "", "'mine' announces nothing; mark a hook"),
    (
        "every_default_fits_its_type",
        GOOD.replace("float = 1.0", "float = 'large'"),
        "a default does not fit: option 'scale'",
    ),
]


@pytest.mark.parametrize(("check", "code", "message"), FAULTS)
def test_the_check_catches_the_fault(package, monkeypatch, check, code, message):
    contract = package(code=code)
    if "_exit" in code:  # in this process it must not be loaded
        plugin = type("Plugin", (), {"entry_point": "mine", "distribution": "mine"})
        components = type("Components", (), {"plugins": ()})
        monkeypatch.setattr(contract, "_plugin", lambda self: plugin)
        monkeypatch.setattr(contract, "components", classmethod(lambda cls: components))

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


@pytest.mark.parametrize(
    ("requires", "message"),
    [
        (None, "mine does not require mtsbench; add mtsbench>=0.1,<0.2"),
        ("mtsbench-deepmts<1", "mine does not require mtsbench"),
        ("mtsbench>=0.1", "which has no upper bound"),
    ],
)
def test_a_requirement_without_upper_bound_is_found(package, requires, message):
    contract = package(requires=requires)

    with pytest.raises(BrokenPromise, match=message):
        contract().test_the_version_of_mtsbench_has_an_upper_bound()


def test_a_name_of_two_authors_is_found(package):
    contract = package("mine")
    package("other")

    with pytest.raises(BrokenPromise, match=r"loss 'own' is announced by mine 1\.0 and other 1\.0"):
        contract().test_no_name_is_in_conflict()


def test_a_right_package_keeps_every_promise(package):
    from mtsbench.testing.checking import check_contract

    found = list(check_contract(package(), "plugin", "mine"))

    assert [one.status for one in found] == ["kept"] * 6


def test_core_has_no_requirement_on_itself():
    contract = type("Core", (PluginContract,), {"distribution": "builtin"})

    with pytest.raises(NotApplicable, match="the components are core's own"):
        contract().test_the_version_of_mtsbench_has_an_upper_bound()


def test_an_installed_plugin_of_this_repository_keeps_every_promise():
    from mtsbench.testing.checking import check_contract

    contract = type("Heads", (PluginContract,), {"distribution": "mtsbench-heads"})
    found = list(check_contract(contract, "plugin", "mtsbench-heads"))

    assert [one for one in found if one.status != "kept"] == []
