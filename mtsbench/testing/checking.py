"""Runs every check of a plugin without pytest, and keeps what came out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from mtsbench.announcements import Plugin
from mtsbench.components import Kind
from mtsbench.plugins import Components
from mtsbench.testing.backbones import BackboneContract
from mtsbench.testing.contract import CHECK_PREFIX, Contract, NotApplicable, checks_of
from mtsbench.testing.datasets import DatasetContract
from mtsbench.testing.executors import ExecutorContract
from mtsbench.testing.heads import HeadContract
from mtsbench.testing.losses import LossContract
from mtsbench.testing.metrics import MetricContract
from mtsbench.testing.models import ModelContract
from mtsbench.testing.networks import one_line
from mtsbench.testing.packaging import PluginContract
from mtsbench.testing.time_limit import TimeIsUp, stopped_after
from mtsbench.testing.trackers import TrackerContract

Status = Literal["kept", "broken", "not applicable", "not run"]
TIME_IS_UP = "the time was up; raise --seconds or name the component with --only"
CONTRACTS: dict[Kind, type[Contract]] = {
    "loss": LossContract,
    "head": HeadContract,
    "backbone": BackboneContract,
    "metric": MetricContract,
    "executor": ExecutorContract,
    "tracker": TrackerContract,
    "dataset": DatasetContract,
    "model": ModelContract,
}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One promise of one component, and what became of it.

    Attributes:
        kind: Kind of the component, or `plugin` for the package itself.
        check: Name of the check.
        promise: What is promised, one sentence.
        reason: Why it is broken, cannot apply or was not run; empty if kept.
    """

    kind: Kind | Literal["plugin"]
    component: str
    check: str
    promise: str
    status: Status
    reason: str
    seconds: float


def check_plugin(
    plugin: Plugin,
    components: Components,
    *,
    only: str = "",
    seconds: float = 60.0,
    watch: Callable[[str], None] = lambda what: None,
) -> Iterator[Checked]:
    """Every check of the package and of each of its components.

    Args:
        plugin: Whose components are checked.
        components: Where components are built.
        only: Checks components whose names contain this, the package always.
        seconds: What is not done by then is reported as `not run`.
        watch: Told the kind and name of each component before it is checked.
    """
    deadline = time.monotonic() + seconds
    watch(f"package {plugin.distribution}")
    package = type("InstalledPlugin", (PluginContract,), {"distribution": plugin.entry_point})
    yield from check_contract(package, "plugin", plugin.distribution)
    order = list(CONTRACTS)
    for one in sorted(plugin.announced, key=lambda one: order.index(one.kind)):
        name = one.component.name
        if only not in name:
            continue
        contract = type(
            f"Installed{one.kind.title()}",
            (CONTRACTS[one.kind],),
            {"component": name, "components": classmethod(lambda cls: components)},
        )
        watch(f"{one.kind} {name}")
        yield from check_contract(contract, one.kind, name, deadline=deadline)


def check_contract(
    contract: type,
    kind: Kind | Literal["plugin"],
    component: str,
    *,
    deadline: float = float("inf"),
) -> Iterator[Checked]:
    """Every check of one contract, in order; none stops the others.

    Args:
        contract: A contract whose class names the component.
        kind: As it is reported.
        component: As it is reported.
        deadline: Reading of `time.monotonic` after which a check is stopped and none is begun.
    """
    for check in checks_of(contract):
        start = time.monotonic()
        status, reason = _outcome(contract, check, deadline - start)
        yield Checked(
            kind=kind,
            component=component,
            check=check,
            promise=_promise(contract, check),
            status=status,
            reason=reason,
            seconds=time.monotonic() - start,
        )


def _outcome(contract: type, check: str, seconds: float) -> tuple[Status, str]:
    if seconds <= 0:
        return "not run", TIME_IS_UP
    try:
        with warnings.catch_warnings(), stopped_after(seconds):
            warnings.simplefilter("ignore")
            getattr(contract(), check)()
    except TimeIsUp:
        return "not run", TIME_IS_UP
    except NotApplicable as error:
        return "not applicable", one_line(error)
    except AssertionError as error:
        return "broken", one_line(error)
    except (Exception, SystemExit) as error:
        return "broken", f"the check met {type(error).__name__}: {one_line(error)}"
    return "kept", ""


def _promise(contract: type, check: str) -> str:
    """First line of the check's docstring, without its full stop."""
    text = getattr(contract, check).__doc__ or check.removeprefix(CHECK_PREFIX).replace("_", " ")
    return str(text.strip().splitlines()[0].rstrip("."))
