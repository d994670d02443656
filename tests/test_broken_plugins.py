"""A broken third-party plugin breaks no command of the others, and its cause is shown in a line."""

from __future__ import annotations

import json

import pytest

from mtsbench.cli import app, run_application

CAUSES = {
    ("import_error",): "ModuleNotFoundError: No module named 'a_package_that_nobody_installs'",
    ("exits",): "SystemExit: this machine is not supported",
    ("misspelt",): "no hook is called 'mtsbench_model'. Did you mean 'mtsbench_models'?",
    ("working", "duplicate"): "model 'parts' is announced by example-duplicate 3.0 and example-",
    ("raising",): "mtsbench_metrics raised KeyError: 'no table'",
    ("wrong_record",): "mtsbench_models must give records of type ModelComponent, got a Component",
    ("core_metric",): "only core's is used: give the other another name",
}
broken = pytest.mark.parametrize("folders", CAUSES, ids="+".join)


@pytest.fixture
def command(capsys):
    """A command line in this process: exit code, standard output, error lines."""

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            run_application(app, [str(one) for one in arguments])
        written = capsys.readouterr()
        return end.value.code, written.out, written.err.splitlines()

    return call


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Where prepared cases and the run of the other model are kept."""
    return tmp_path_factory.mktemp("broken")


@pytest.fixture
def run(command, shared):
    """Trains a model on a table, or finds that it is done."""

    def do(model, out):
        where = ("--out", out, "--cache", shared / "cache", "--preset", "demo")
        return command("run", "--model", model, "--dataset", "veteran", *where)

    return do


@pytest.fixture
def other(run, shared):
    """The run of another model, made where no plugin was broken."""
    assert run("clinical-cox", shared)[0] == 0
    (folder,) = shared.glob("veteran-*")
    return folder


@broken
def test_list_run_and_compare_go_on(folders, install_beside, other, run, command, tmp_path):
    install_beside(*folders)

    listed = command("list", "--json")
    seen = command("list", "models")
    ran = run("km", tmp_path)
    compared = command("compare", other, next(tmp_path.glob("veteran-*")), "--json")

    assert (listed[0], seen[0], ran[0], compared[0]) == (0, 0, 0, 0), (listed, seen, ran, compared)
    assert {"km", "clinical-cox"} <= {one["name"] for one in json.loads(listed[1])["models"]}
    assert "harrell-c" in ran[1]
    assert {one["model"] for one in json.loads(compared[1]).values()} == {"km", "clinical-cox"}
    for lines in (seen[2], ran[2]):
        (line,) = [one for one in lines if CAUSES[folders] in one]
        assert line.startswith("mtsbench: warning: ")


def test_two_authors_of_a_metric_leave_it_undefined_in_a_run(install_beside, run, tmp_path):
    install_beside("metric_author", "metric_rival")

    code, _, lines = run("km", tmp_path)

    record = json.loads(next(tmp_path.glob("veteran-*/trials/*/record.json")).read_text())
    assert code == 0
    assert record["scores"]["harrell-c"]["value"] is not None
    assert "is announced by example-metric-author" in record["scores"]["own-c"]["reason"]
    assert any("metric 'own-c' is announced by" in line for line in lines)


def test_nothing_is_said_where_no_plugin_is_broken(other, run, tmp_path):
    assert not any("warning" in line for line in run("km", tmp_path)[2])
