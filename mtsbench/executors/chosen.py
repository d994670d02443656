"""The executor that a run was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from mtsbench.errors import OptionError

if TYPE_CHECKING:
    from mtsbench.interfaces import Executor
    from mtsbench.plugins import Components

NAMESPACE = "executor"


def build_executor(
    components: Components, name: str | None, settings: Mapping[str, str], jobs: int
) -> Executor | None:
    """The executor of `--executor NAME`; None without a name.

    Args:
        components: Where it is looked up.
        name: As the user gave it.
        settings: Its options.
        jobs: Trials at once that core's own processes were asked for.

    Raises:
        OptionError: See `check_executor`.
        UnknownComponentError, PluginConflictError, PluginError: See `Components.build`.
    """
    check_executor(components, name, settings, jobs)
    if name is None:
        return None
    return cast("Executor", components.build("executor", name, options=settings))


def check_executor(
    components: Components, name: str | None, settings: Mapping[str, str], jobs: int
) -> None:
    """Refuse what `build_executor` would refuse, as far as that can be told without building.

    Raises:
        OptionError: An option does not exist, does not fit or is of no executor, or jobs were asked
            for beside one.
    """
    if name is None:
        if settings:
            raise OptionError(
                f"setting '{NAMESPACE}.{next(iter(settings))}' is of an executor, and none is "
                "used; add --executor NAME (`mtsbench list executors`)"
            )
        return
    options = components.options("executor", name, settings)
    if jobs > 1:
        own = f"; its options: {', '.join(options)}" if options else ""
        raise OptionError(
            f"jobs = {jobs} asks for processes of mtsbench, and executor {name!r} decides itself "
            f"how many trials run at once; leave jobs at 1{own}"
        )
