"""The files that a code host and its visitors look for: they parse, and say what is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import mtsbench

yaml = pytest.importorskip("yaml", reason="PyYAML is installed with mkdocs")
ROOT = Path(__file__).resolve().parents[1]
HOST = ROOT / ".github"
FORMS = [path for path in sorted(HOST.glob("ISSUE_TEMPLATE/*.yml")) if path.stem != "config"]
YAML = [*HOST.rglob("*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def read(path: Path | str):
    return yaml.safe_load((ROOT / path).read_text())


@pytest.mark.parametrize("path", sorted(YAML), ids=lambda path: path.name)
def test_every_yaml_file_holds_a_mapping(path):
    assert isinstance(read(path), dict)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("plugins/*/pyproject.toml")), ids=lambda path: path.parent.name
)
def test_every_toml_file_parses(path):
    assert tomllib.loads(path.read_text())["project"]["name"] == path.parent.name


def test_the_citation_names_the_version_the_licence_and_the_published_method():
    deepmts = pytest.importorskip("mtsbench_deepmts.plugin").DEEPMTS
    found = read("CITATION.cff")

    assert found["version"] == mtsbench.__version__
    assert found["license"] == PROJECT["project"]["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(found)  # required by version 1.2.0
    assert PROJECT["project"]["description"].lower() in found["title"].lower()
    assert deepmts.endswith(found["references"][0]["doi"])


def test_the_workflow_runs_the_test_command_of_the_readme_on_the_oldest_python():
    (job,) = read(".github/workflows/test.yml")["jobs"].values()

    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == [(ROOT / ".ci" / "run").read_text().splitlines()[-1]]
    (oldest,) = re.findall(r">=(\S+)", PROJECT["project"]["requires-python"])
    assert job["strategy"]["matrix"]["python"] == [oldest]


def test_the_workflow_may_only_read():
    assert read(".github/workflows/test.yml")["permissions"] == {"contents": "read"}


def test_pre_commit_has_the_ruff_of_the_tests():
    hooks = {one["id"]: one for one in read(".pre-commit-config.yaml")["repos"][0]["hooks"]}
    pinned = (ROOT / "requirements-test.txt").read_text().splitlines()

    assert list(hooks) == ["ruff", "ruff-format", "check-toml", "check-yaml", "codespell"]
    for name in ("ruff", "ruff-format"):
        (ruff,) = hooks[name]["additional_dependencies"]
        assert ruff in pinned


def test_newer_versions_of_torch_are_chosen_by_hand():
    python = read(".github/dependabot.yml")["updates"][0]

    pinned = (ROOT / "requirements.txt").read_text()
    for one in python["ignore"]:
        assert f"\n{one['dependency-name']}==" in pinned
    assert "torch" in {one["dependency-name"] for one in python["ignore"]}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_what_happened_and_names_commands_that_exist(path):
    import typer

    from mtsbench.cli import app

    form, commands = read(path), typer.main.get_command(app).commands

    assert form["name"]
    assert form["description"]
    fields = [one["id"] for one in form["body"] if one["type"] != "markdown"]
    assert len(set(fields)) == len(fields) > 0
    assert any(one.get("validations", {}).get("required") for one in form["body"])
    for words in re.findall(r"`mtsbench ([a-z ]+)`", path.read_text()):
        first, *rest = words.split()
        assert first in commands
        assert all(word in commands[first].commands for word in rest)


@pytest.mark.parametrize("name", ["SECURITY.md", "CODE_OF_CONDUCT.md"])
def test_the_document_is_found_from_the_one_for_contributors(name):
    assert f"]({name})" in (ROOT / "CONTRIBUTING.md").read_text()
    links = re.findall(r"\]\((?!https:)([^)]+)\)", (ROOT / name).read_text())
    assert [link for link in links if not (ROOT / link).is_file()] == []
