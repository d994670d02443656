"""The scripts of the first day on a GPU: they name what exists, and find what they are for."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("mtsbench_deepmts")
pytest.importorskip("mtsbench_cohorts")
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "gpu"
SCRIPT = FOLDER / "gpu_day.sh"
TEXT = SCRIPT.read_text().replace("\\\n", " ")
README = (FOLDER / "README.md").read_text()
PARTS = re.findall(r"^(?:day|part) (\w+) \d+", TEXT, re.MULTILINE)
REHEARSED = ("env", "parity", "today", "convolutions", "kernels", "profile", "run")


@pytest.fixture
def module(monkeypatch):
    """A module of the folder by name, as the script itself finds it."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


@pytest.fixture
def day(module, tmp_path):
    return module("day").Day(device="cpu", size=32, steps=1, results=tmp_path / "found.jsonl")


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPT), *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_every_module_finds_what_it_imports(module, name):
    assert module(name).__doc__


def test_a_compiled_step_tells_by_fast_whether_it_fell_back(monkeypatch):
    """`official` asks for an attribute that mypy cannot see, because the class is internal."""
    import torch

    from mtsbench.engine.compute import compiled

    monkeypatch.setattr(torch, "compile", lambda network, mode: network)

    assert compiled(torch.nn.Linear(1, 1), "on", "cpu").fast is not None
    assert '"fast"' in (FOLDER / "variants.py").read_text()


def test_the_script_asks_for_parts_and_variants_that_exist(module):
    asked = re.findall(r"^day \w+ \d+ (\w+)([^#\n]*)", TEXT, re.MULTILINE)

    assert {part for part, _ in asked} == set(module("gpu_day").PARTS)
    named = {name for _, names in asked for name in names.split()}
    assert named <= set(module("variants").VARIANTS)
    assert "compile-graphs" in named


@pytest.mark.parametrize("command", ["profile", "benchmark", "run"])
def test_the_options_of_each_command_exist(command):
    import typer

    from mtsbench.cli import app

    known = {
        name for one in typer.main.get_command(app).commands[command].params for name in one.opts
    }
    (line,) = re.findall(rf"-m mtsbench {command} (.+)$", TEXT, re.MULTILINE)

    asked = set(re.findall(r"(--[a-z-]+)", line))
    assert asked
    assert asked <= known


def test_the_options_of_the_peer_exist():
    source = (ROOT / "benchmarks" / "peers" / "plain_monai.py").read_text()
    (line,) = re.findall(r"plain_monai\.py (.+)$", TEXT, re.MULTILINE)

    assert all(f'"{option}"' in source for option in re.findall(r"(--[a-z-]+)", line))


def test_the_items_of_the_benchmark_exist():
    from mtsbench.benchmark.items import all_items

    asked = [one.replace("$SIZE", "128") for one in re.findall(r'--only "([^"]+)"', TEXT)]

    assert asked
    assert set(asked) <= {item.name for item in all_items("cuda")}


def test_the_test_files_exist():
    named = re.findall(r"(?:plugins|tests)/[\w/-]+\.py", TEXT)

    assert len(named) > 4
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_wheels_are_those_that_the_requirements_pin():
    (wheels,) = re.findall(r'THIRD_PARTY="([^"]+)"', SCRIPT.read_text())
    pinned = (ROOT / "requirements.txt").read_text().splitlines()

    assert [one for one in wheels.split() if one not in pinned] == []
    folders = re.findall(r"plugins/mtsbench-\w+", TEXT.split("for package in")[1].split("do")[0])
    assert folders
    assert all((ROOT / folder / "pyproject.toml").is_file() for folder in folders)


def test_the_readme_names_each_part_and_every_file_it_names_exists(documents):
    table = README.split("## How to run it")[0]
    named = set(re.findall(r"`([\w/]+\.py)`", README))
    places = (FOLDER, ROOT / "mtsbench", *(ROOT / "plugins").glob("*/src"))

    assert all(re.search(rf"^\|[^|]*\b{part}\b", table, re.MULTILINE) for part in PARTS)
    assert named
    assert [one for one in named if not any((place / one).is_file() for place in places)] == []
    assert documents.faults("benchmarks/gpu/README.md") == []


@pytest.fixture
def stub(tmp_path) -> dict[str, str]:
    """A Python that only writes down how it was called, and fails at `parity` and at pytest."""
    program = tmp_path / "bin" / "python3"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\ncase "$2" in parity | pytest) exit 1 ;; esac\n'
    )
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


def test_prepare_fetches_wheels_and_copies_the_scripts_beside_them(stub, tmp_path):
    done = run("prepare", tmp_path / "wheels", **stub)

    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+ MiB with the working tree\n", done.stdout)
    copied = {path.name for path in (tmp_path / "wheels").iterdir()}
    assert copied == {"commit", SCRIPT.name, *(path.name for path in FOLDER.glob("*.py"))}
    calls = (tmp_path / "calls").read_text()
    assert calls.count("pip download") == 1
    assert calls.count("pip wheel") == 5


def test_each_part_is_done_in_order_whatever_becomes_of_the_others(stub, tmp_path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "one.whl").touch()
    (wheels / "commit").write_text("abc\n")

    done = run(
        *(tmp_path / "out", wheels),
        **{**stub, "SKIP": "today", "DEVICE": "cuda"},
    )

    assert done.returncode == 0, done.stderr
    said = re.findall(r"^== (\w+): code (\d)", done.stdout, re.MULTILINE)
    expected = ["install", "bytecode", *PARTS]
    assert [part for part, _ in said] == [part for part in expected if part != "today"]
    assert [part for part, code in said if code == "1"] == ["parity", "tests"]
    assert [part for part, code in said if code not in "01"] == []
    calls = (tmp_path / "calls").read_text()
    assert f"{wheels}/one.whl" in calls
    assert f"{FOLDER}/gpu_day.py variant eager-graph --device cuda --size 128" in calls
    assert "variant bf16" not in calls
    assert "commit abc" in (tmp_path / "out" / "log.txt").read_text()


def test_parts_that_would_begin_too_late_are_left_out(tmp_path):
    done = run(tmp_path / "out", "none", LATEST="-1")

    assert done.stdout.count("left out, no time") == len(PARTS)
    assert " code " not in done.stdout


def test_a_call_without_folders_tells_how_to_call():
    done = run()

    assert done.returncode == 2
    assert "usage: bash" in done.stderr
    assert "prepare FOLDER" in done.stderr


def test_an_unknown_variant_is_refused_before_anything_is_prepared(module, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["gpu_day.py", "variant", "bf17"])

    with pytest.raises(SystemExit):
        module("gpu_day").main()

    assert "no variant 'bf17'; choose from bf16, " in capsys.readouterr().err


def test_findings_are_lines_of_json_and_times_are_medians_without_the_warm_up(day, monkeypatch):
    clock = iter([0, 1, 10, 12, 20, 29])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    calls = []

    day.keep("part", {"ms": day.median_ms(lambda: calls.append(1), repeats=3, warm_up=2)})
    day.keep("part", {"name": "another"})

    assert len(calls) == 5
    assert [json.loads(line) for line in day.results.read_text().splitlines()] == [
        {"part": "part", "ms": 2000.0},
        {"part": "part", "name": "another"},
    ]


def test_numbers_of_where_are_filled_in_on_the_device(module):
    import torch

    where = module("graphed_step").where_on_device
    condition, values = torch.tensor([True, False]), torch.tensor([1.5, 2.5])

    for one, other in ((values, -torch.inf), (0.0, values), (values, 2 * values)):
        assert torch.equal(where(condition, one, other), torch.where(condition, one, other))


def test_a_difference_is_relative_to_the_exact_one(module):
    import torch

    relative = module("against_cpu").relative

    assert relative(torch.tensor([3.0, 4.5]), torch.tensor([3.0, 4.0])) == pytest.approx(0.1)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_the_rehearsal_finds_on_a_cpu_what_the_day_is_for(tmp_path):
    left_out = " ".join(part for part in PARTS if part not in REHEARSED)

    done = run(
        *(tmp_path, "none"),
        **{"DEVICE": "cpu", "SIZE": "32", "STEPS": "1", "PATIENCE": "6", "SKIP": left_out},
    )

    log = (tmp_path / "log.txt").read_text()
    said = re.findall(r"^== (\w+): code (\d+)", done.stdout, re.MULTILINE)
    assert said == [(part, "0") for part in REHEARSED], log[-4000:]
    lines = [json.loads(one) for one in (tmp_path / "results.jsonl").read_text().splitlines()]
    parity = {key: one[key] for one in lines if one["part"] == "parity" for key in one}
    assert parity["wrong_batches"] == 0
    assert parity["running:fp32"]["gradient"] < 1e-3
    assert parity["running:bf16"] == parity["running:cpu-bf16"]
    assert parity["distinct_risks_fp32"] == parity["cases"]
    assert parity["survival_reading"] == "step"
    variants = {one["name"]: one for one in lines if one["part"] == "variant"}
    assert set(variants) == {"bf16", "contiguous", "tf32"}
    assert all(one["ms"] > 0 for one in variants.values())
    assert len([one for one in lines if one["part"] == "conv"]) == 18
    assert "convolution_backward" in (tmp_path / "kernels.txt").read_text()
    assert json.loads((tmp_path / "profile.json").read_text())
