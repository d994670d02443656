"""A contract cannot be weakened in silence, and looks its component up."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mtsbench.errors import UnknownComponentError
from mtsbench.testing import BrokenPromise, Contract, LossContract, NotApplicable
from mtsbench.testing.contract import checks_of, ensure


def test_a_replaced_check_is_refused():
    with pytest.raises(
        TypeError, match=r"Weak replaces the check test_the_loss_is_a_scalar; keep it, or mark"
    ):
        type("Weak", (LossContract,), {"test_the_loss_is_a_scalar": lambda self: None})


def test_a_removed_check_is_refused():
    with pytest.raises(TypeError, match="replaces the check test_a_single_case_is_finite"):
        type("Weak", (LossContract,), {"test_a_single_case_is_finite": None})


@pytest.mark.parametrize(
    "mark", [pytest.mark.xfail(strict=True), pytest.mark.xfail(reason="slow"), pytest.mark.skip]
)
def test_a_replaced_check_needs_a_reason_and_strictness(mark):
    with pytest.raises(TypeError, match="replaces the check"):
        type("Weak", (LossContract,), {"test_the_loss_is_a_scalar": mark(lambda self: None)})


def test_a_check_that_is_declared_to_fail_may_be_replaced():
    @pytest.mark.xfail(reason="one number per case, see issue 7", strict=True)
    def check(self):
        raise BrokenPromise("as declared")

    declared = type("Declared", (LossContract,), {"test_the_loss_is_a_scalar": check})

    assert "test_the_loss_is_a_scalar" in checks_of(declared)


def test_a_check_may_be_added():
    more = type("More", (LossContract,), {"test_of_my_own": lambda self: None})

    assert checks_of(more)[-1] == "test_of_my_own"
    assert checks_of(more)[:-1] == checks_of(LossContract)


def test_a_contract_without_a_component_says_what_to_write():
    nameless = type("TestMine", (LossContract,), {})

    with pytest.raises(TypeError, match=r"TestMine names no loss; write component = 'NAME'"):
        nameless().test_the_loss_is_a_scalar()


def test_a_component_that_is_not_installed_is_named():
    absent = type("TestMine", (LossContract,), {"component": "no-such-loss"})

    with pytest.raises(UnknownComponentError, match="no loss is called 'no-such-loss'"):
        absent().test_the_loss_is_a_scalar()


def test_a_kept_promise_is_silent_and_a_broken_one_says_what_was_found():
    ensure(True, "never said")
    with pytest.raises(BrokenPromise, match="found 1, expected 2"):
        ensure(False, "found 1, expected 2")


def test_a_check_that_cannot_apply_is_a_skip_with_a_reason_for_pytest(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "from mtsbench.testing import Contract, NotApplicable\n"
        "class TestMine(Contract):\n"
        "    def test_curves(self):\n"
        "        raise NotApplicable('the head declares no survival_curves')\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert done.returncode == 0
    assert "1 skipped" in done.stdout
    assert "the head declares no survival_curves" in done.stdout


def test_the_kit_imports_no_pytest():
    done = subprocess.run(
        [sys.executable, "-c", "import mtsbench.testing, sys; print('pytest' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "False\n"


def test_names_of_the_kit_are_exported():
    import mtsbench.testing as kit

    assert kit.__all__ == sorted(kit.__all__)
    assert issubclass(kit.LossContract, Contract)
    assert issubclass(NotApplicable, Exception)
