"""What a package promises: its entry point loads anywhere, cheaply, and says what it needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import requires
from typing import ClassVar

from mtsbench.announcements import Plugin
from mtsbench.errors import UnknownComponentError
from mtsbench.options import did_you_mean, option_types
from mtsbench.plugins import Components, load_components
from mtsbench.testing.contract import NotApplicable, ensure

HEAVY = ("torch", "SimpleITK", "scipy", "sklearn", "monai")
PROBE = f"""
import json, sys
from mtsbench.plugins import load_components
found = load_components(strict=False)
print(json.dumps({{
    "failures": [one.cause for one in found.failures],
    "heavy": [name for name in {HEAVY} if name in sys.modules],
}}))
"""


class PluginContract:
    """Checks of an installed plugin.

    Attributes:
        distribution: Name of the distribution, e.g. "mtsbench-deepmts", or of its entry point.
    """

    distribution: ClassVar[str]

    def test_the_plugin_loads_in_a_fresh_process(self) -> None:
        """The entry point can be imported where nothing else is, and every hook is known."""
        failures = self._probe()["failures"]
        ensure(not failures, f"the plugin fails to load: {'; '.join(failures)}")

    def test_listing_imports_nothing_heavy(self) -> None:
        """`mtsbench list` imports no torch, SciPy or SimpleITK for this plugin."""
        heavy = self._probe()["heavy"]
        ensure(
            not heavy,
            f"listing the plugin imports {heavy}; import heavy packages inside `build`",
        )

    def test_the_plugin_announces_something(self) -> None:
        """At least one component is announced."""
        plugin = self._plugin()
        ensure(
            plugin.announced,
            f"plugin {plugin.entry_point!r} announces nothing; mark a hook with hookimpl",
        )

    def test_no_name_is_in_conflict(self) -> None:
        """No other plugin announces one of its names."""
        plugin = self._plugin()
        conflicts = [
            str(one)
            for one in self.components().conflicts
            if any(found in plugin.announced for found in one.announced)
        ]
        ensure(not conflicts, " ".join(conflicts))

    def test_every_default_fits_its_type(self) -> None:
        """The default of each option is a value that the option accepts."""
        components = self.components()
        for one in find_plugin(components, self.distribution).announced:
            defaults = {
                name: default for name, (_, default) in option_types(one.component.build).items()
            }
            try:
                components.options(one.kind, one.component.name, defaults)
            except Exception as error:
                ensure(False, f"a default does not fit: {error}")

    def test_the_version_of_mtsbench_has_an_upper_bound(self) -> None:
        """The requirement on mtsbench excludes the next minor version, as in `>=0.1,<0.2`."""
        plugin = self._plugin()
        if plugin.distribution == "mtsbench":
            raise NotApplicable("the components are core's own")
        wanted = [
            one
            for one in requires(plugin.distribution) or ()
            if re.match(r"mtsbench\b(?!-)", one.strip())
        ]
        ensure(wanted, f"{plugin.distribution} does not require mtsbench; add mtsbench>=0.1,<0.2")
        ensure(
            all(re.search(r"<|==|~=", one) for one in wanted),
            f"{plugin.distribution} requires {wanted[0]!r}, which has no upper bound; write "
            "mtsbench>=0.1,<0.2",
        )

    @classmethod
    def components(cls) -> Components:
        """Everything installed."""
        return load_components(strict=False)

    def _plugin(self) -> Plugin:
        return find_plugin(self.components(), self.distribution)

    def _probe(self) -> dict[str, list[str]]:
        """What a process of its own says that has loaded this plugin and no other."""
        components = self.components()
        wanted = self._plugin()
        others = [
            one.entry_point for one in components.plugins if one.entry_point != wanted.entry_point
        ]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROBE],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "MTSBENCH_DISABLE": ",".join(others),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        ensure(done.returncode == 0, f"a fresh process fails: {done.stderr.strip()[-300:]}")
        answer: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
        return answer


def find_plugin(components: Components, name: str) -> Plugin:
    """The plugin of this distribution or entry point.

    Raises:
        UnknownComponentError: None is installed.
    """
    for plugin in components.plugins:
        if name in (plugin.distribution, plugin.entry_point):
            return plugin
    names = sorted({one.distribution for one in components.plugins})
    raise UnknownComponentError(
        f"no plugin is called {name!r}.{did_you_mean(name, names)} Installed: {', '.join(names)}. "
        "Install it first, e.g. with `pip install -e .` in its folder."
    )
