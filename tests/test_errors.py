from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

import pytest

from mtsbench import errors
from mtsbench.errors import DataError, MtsbenchError, one_line


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DataError("case 'A'\n  is broken"), "case 'A' is broken"),
        (ZeroDivisionError("division\nby zero"), "ZeroDivisionError: division by zero"),
        (KeyError(), "KeyError"),
    ],
)
def test_an_error_is_one_line_and_only_foreign_ones_tell_their_type(error, text):
    assert one_line(error) == text


ROOT = Path(__file__).parents[1]
SOURCES = [*ROOT.glob("mtsbench/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
BUILT_IN = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, Exception)
}
# What the conformance kit raises for the author of a plugin: a failed test, a skipped one, and what
# stops a check that takes too long, which a model that catches every Exception must not hold up.
OF_THE_KIT = {"BrokenPromise", "NotApplicable", "TimeIsUp"}
# Modules that raise built-in errors nevertheless, and why these reach no user of the program.
EXCUSED = {
    "mtsbench/benchmark/records.py": "pydantic makes a ValidationError of it",
    "mtsbench/engine/checkpoints.py": "pydantic makes a ValidationError of it",
    "mtsbench/experiment_file.py": "pydantic makes a ValidationError of it",
    "mtsbench/sealed.py": "pydantic makes a ValidationError of it",
    "mtsbench/composition.py": "`replace_fields` and `Components.build` say which option it was",
    "mtsbench/interfaces.py": "`score_or_reason` makes it the reason of a missing score",
    "mtsbench/metrics/brier.py": "an array of a wrong shape, a mistake in the calling code",
    "mtsbench/metrics/concordance.py": "risks that `Predictions` refuses",
    "mtsbench/metrics/curves.py": "an array of a wrong shape, a mistake in the calling code",
    "mtsbench/metrics/proportional_hazards.py": "covariates that are checked before",
    "mtsbench/metrics/shapes.py": "an array of a wrong shape, a mistake in the calling code",
    "mtsbench/executors/practice.py": "a trial of the conformance kit that fails on purpose",
    "mtsbench/testing/contract.py": "a mistake in the author's test class, shown by pytest",
    "plugins/mtsbench-radiomics/src/mtsbench_radiomics/features/feature_cache.py": (
        "caught in the same module, which tells it in the log"
    ),
}


def classes(module: ast.Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(module) if isinstance(node, ast.ClassDef)]


def test_every_error_is_a_branch_of_the_documented_tree():
    """As many steps deep in the text as in the code, and under the same parent."""
    drawn, path = {}, ["MtsbenchError"]
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│ ]*)[├└]── (\w+)", line)
        if found:
            depth = (len(found[1]) - 4) // 4 + 1
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1]
    of_code = {
        name: value.__mro__[1].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and value is not MtsbenchError
    }

    assert drawn == of_code


def test_no_error_is_defined_outside_of_the_tree():
    in_tree = {name for name, value in vars(errors).items() if isinstance(value, type)}
    exceptions = BUILT_IN | in_tree | {"BaseException", "SkipTest"}
    elsewhere = {
        node.name
        for path in SOURCES
        if path.name != "errors.py"
        for node in classes(ast.parse(path.read_text()))
        if exceptions & {ast.unparse(base).split(".")[-1] for base in node.bases}
    }

    assert elsewhere == OF_THE_KIT


def test_no_built_in_error_is_raised_for_the_user():
    raising = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and ast.unparse(node.exc.func) in BUILT_IN
    }

    assert raising == set(EXCUSED)
