"""The documents as a site, and the page that is written from the source."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def script(name: str):
    """A module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", site],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_builds_without_a_warning_and_has_every_document(site):
    pages = {path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*.md")}
    outside = {Path(page) for page in script("site_pages").PAGES.values()}

    for page in pages | outside:
        built = site / page.with_suffix("") / "index.html" if page.stem != "index" else site / page
        assert built.with_suffix(".html").is_file(), page
    assert not list(site.rglob("*.py"))


def test_the_site_loads_nothing_from_another_host(site):
    class Loaded(HTMLParser):
        def handle_starttag(self, tag, attributes):
            source = dict(attributes).get({"script": "src", "img": "src", "link": "href"}.get(tag))
            assert not (source or "").startswith(("http:", "https:", "//")), source

    for page in site.rglob("*.html"):
        Loaded().feed(page.read_text())


def test_a_link_that_leads_nowhere_is_an_error(tmp_path):
    for name in ("docs", "plugins", "benchmarks"):
        ignore = shutil.ignore_patterns("src", "tests", "*.json", "*.pyc")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    for path in (ROOT / "mkdocs.yml", *ROOT.glob("*.md")):
        shutil.copy(path, tmp_path / path.name)
    with (tmp_path / "docs" / "statistics.md").open("a") as page:
        page.write("\n[gone](../plugins/mtsbench-gone/README.md)\n")

    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")

    assert done.returncode == 1
    assert "statistics.md" in done.stderr
    assert "mtsbench-gone" in done.stderr


@pytest.mark.parametrize(
    ("link", "page", "expected"),
    [
        ("[a](docs/hooks.md#loss)", "contributing.md", "[a](hooks.md#loss)"),
        ("[a](../hooks.md#loss)", "tutorials/loss.md", "[a](../hooks.md#loss)"),
        ("[a](../plugins/mtsbench-heads/README.md)", "hooks.md", "[a](packages/heads.md)"),
        ("[a](../../CONTRIBUTING.md)", "tutorials/loss.md", "[a](../contributing.md)"),
        ("[a](https://example.org/b.md)", "hooks.md", "[a](https://example.org/b.md)"),
        ("[a](#here)", "hooks.md", "[a](#here)"),
    ],
)
def test_links_between_files_become_links_between_pages(link, page, expected):
    assert script("site_pages").link_pages(link, page) == expected


def test_the_hooks_reference_is_what_the_source_says():
    reference = script("make_hooks_reference")

    assert (ROOT / "docs" / "hooks.md").read_text() == reference.make_reference(), (
        "run python docs/make_hooks_reference.py"
    )


def test_the_hooks_reference_tells_every_hook_and_every_public_name():
    from mtsbench import components, composition, data, hookspecs, interfaces

    page = (ROOT / "docs" / "hooks.md").read_text()

    for hook in (name for name in vars(hookspecs) if name.startswith("mtsbench_")):
        assert f"| `{hook}` |" in page
    for module in (components, composition, data, interfaces):
        for name, one in vars(module).items():
            if isinstance(one, type) and one.__module__ == module.__name__ and name[0] != "_":
                assert f"### `{name}`" in page


def test_nothing_that_a_plugin_may_rely_on_was_removed():
    reference = script("make_hooks_reference")
    recorded = json.loads(reference.RECORDED.read_text())

    gone = sorted(set(recorded) - set(reference.promised()))

    assert not gone, (
        f"a plugin may use {gone}: keep them, with a warning, for one minor version, as "
        "docs/plugin-api.md says; a new minor version records its names with "
        "python docs/make_hooks_reference.py --record"
    )
    assert "Loss.__call__(targets)" in recorded
