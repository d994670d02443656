"""The runner without pytest, and the table of promises."""

from __future__ import annotations

import json
import signal
import threading
import time

import pytest
from rich.console import Console

from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component
from mtsbench.plugins import Components
from mtsbench.testing import BackboneContract, HeadContract, LossContract
from mtsbench.testing.checking import check_contract, check_plugin
from mtsbench.testing.contract import Contract, NotApplicable, ensure
from mtsbench.testing.promises import all_kept, promise_table, promises_json, summary
from mtsbench.testing.time_limit import stopped_after


class Mixed(Contract):
    kind = "loss"
    component = "mixed"

    def test_that_is_kept(self) -> None:
        """It is kept.

        More words.
        """

    def test_that_is_broken(self) -> None:
        """It is broken."""
        ensure(False, "found 1,\nexpected 2")

    def test_that_cannot_apply(self) -> None:
        """It cannot apply."""
        raise NotApplicable("declares nothing")

    def test_that_crashes(self) -> None:
        raise KeyError("gone")

    def test_that_leaves(self) -> None:
        raise SystemExit(4)


class Endless(Contract):
    kind = "loss"
    component = "endless"

    def test_that_never_ends(self) -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    def test_that_comes_later(self) -> None:
        """It comes later."""


def test_a_check_is_stopped_when_the_time_is_up_and_none_is_begun_after():
    start = time.monotonic()

    found = list(check_contract(Endless, "loss", "endless", deadline=start + 0.2))

    assert [one.status for one in found] == ["not run", "not run"]
    assert time.monotonic() - start < 5


def test_a_timer_that_runs_already_goes_on_after_the_check():
    earlier = signal.getitimer(signal.ITIMER_REAL)[0]
    signal.setitimer(signal.ITIMER_REAL, 60.0)
    try:
        with stopped_after(5.0):
            pass
        left = signal.getitimer(signal.ITIMER_REAL)[0]
    finally:
        signal.setitimer(signal.ITIMER_REAL, earlier)

    assert 50 < left <= 60


def test_a_block_in_another_thread_runs_to_its_end():
    done = []

    def work():
        with stopped_after(0.001):
            time.sleep(0.02)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert done == [True]


@pytest.fixture
def checked():
    return list(check_contract(Mixed, "loss", "mixed"))


def text(table) -> str:
    console = Console(width=120, markup=False, emoji=False, highlight=False, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_no_check_stops_the_others_and_each_has_a_reason_in_one_line(checked):
    assert [(one.status, one.reason) for one in checked] == [
        ("kept", ""),
        ("broken", "found 1, expected 2"),
        ("not applicable", "declares nothing"),
        ("broken", "the check met KeyError: 'gone'"),
        ("broken", "the check met SystemExit: 4"),
    ]


def test_a_promise_is_the_first_line_of_the_docstring_or_the_name(checked):
    assert [one.promise for one in checked[:1] + checked[3:4]] == ["It is kept", "that crashes"]


def test_the_table_shows_what_is_not_kept_and_all_on_request(checked):
    short, long = text(promise_table(checked)), text(promise_table(checked, every=True))

    assert "1 of 5 promises" in short
    assert "It is broken: found 1, expected 2" in short
    assert "declares nothing" in short
    assert "It is kept" not in short
    assert "It is kept" in long


def test_counts_are_in_one_line_and_in_the_json(checked):
    found = json.loads(json.dumps(promises_json("mine", checked)))

    assert summary(checked) == "1 kept, 3 broken, 1 not applicable"
    assert found["counts"] == {"kept": 1, "broken": 3, "not applicable": 1}
    assert (found["plugin"], found["kept"]) == ("mine", False)
    assert found["promises"][1]["check"] == "test_that_is_broken"


def test_what_cannot_apply_is_no_broken_promise(checked):
    assert all_kept([checked[0], checked[2]])
    assert not all_kept(checked)


def plugin(*records) -> tuple[Plugin, Components]:
    announced = tuple(
        Announced(
            component=Component(
                name=name, summary="One", build=build, reference="https://example.org/"
            ),
            kind=kind,
            distribution="mtsbench",
            version="1",
        )
        for kind, name, build in records
    )
    made = Plugin(entry_point="builtin", distribution="mtsbench", version="1", announced=announced)
    return made, Components(plugins=(made,))


def test_only_the_components_asked_for_are_checked_and_the_package_always(phantom):
    made, components = plugin(
        ("loss", "cox", lambda: phantom.cox_loss), ("loss", "dice", lambda: phantom.dice_loss)
    )
    seen: list[str] = []

    found = list(check_plugin(made, components, only="cox", watch=seen.append))

    assert seen == ["package mtsbench", "loss cox"]
    assert {one.component for one in found} == {"mtsbench", "cox"}


def test_components_for_which_no_time_is_left_are_reported_and_not_kept(phantom):
    made, components = plugin(("loss", "cox", lambda: phantom.cox_loss))

    found = [one for one in check_plugin(made, components, seconds=0.0) if one.kind == "loss"]

    assert {one.status for one in found} == {"not run"}
    assert found[0].reason == "the time was up; raise --seconds or name the component with --only"
    assert not all_kept(found)
    assert text(promise_table(found)).count("the time was up") == 1


@pytest.mark.parametrize(
    ("contract", "name"),
    [
        (LossContract, "cox"),
        (LossContract, "logistic-hazard"),
        (LossContract, "weibull-aft"),
        (LossContract, "dice-ce"),
        (LossContract, "deepmts-dice"),
        (HeadContract, "cox"),
        (HeadContract, "mtlr"),
        (BackboneContract, "deepconvsurv"),
    ],
)
def test_components_of_the_repository_keep_their_promises(contract, name, verdicts):
    found = verdicts(type("Ours", (contract,), {"component": name}))

    assert {status for status, _ in found.values()} <= {"kept", "not applicable"}, found
