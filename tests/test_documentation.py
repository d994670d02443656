"""What the documents show is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "mtsbench").rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)


def block(document: str, language: str, containing: str) -> str:
    text = (ROOT / document).read_text()
    found = [b for b in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if containing in b]
    assert len(found) == 1, f"{document} must hold one {language} block with {containing!r}"
    return found[0]


@pytest.mark.parametrize("module", MODULES)
def test_the_walkthrough_names_each_module_once(module):
    text = (ROOT / "docs" / "walkthrough.md").read_text()

    assert text.count(f"`{module}`") == 1


def test_the_walkthrough_names_no_module_that_does_not_exist():
    text = (ROOT / "docs" / "walkthrough.md").read_text()

    assert set(re.findall(r"`(mtsbench/[a-z_/]+\.py)`", text)) == set(MODULES)


def test_the_plugin_of_the_readme_loads_and_is_listed(tmp_path):
    """By hand, for it is a module alone; test_documentation_pages.py installs packages."""
    (tmp_path / "mtsbench_focal.py").write_text(block("README.md", "python", "mtsbench_losses"))
    metadata = tmp_path / "mtsbench_focal-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mtsbench-focal\nVersion: 0.1\n"
    )
    (metadata / "entry_points.txt").write_text("[mtsbench]\nfocal = mtsbench_focal\n")

    listed = subprocess.run(
        [sys.executable, "-m", "mtsbench", "show", "loss", "focal"],
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert listed.returncode == 0, listed.stderr
    assert "mtsbench-focal 0.1" in listed.stdout
    assert "gamma" in listed.stdout


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_loss_of_the_document_gives_the_focal_loss(document, tmp_path):
    import torch

    from mtsbench.interfaces import Outputs, Targets

    names: dict[str, object] = {}
    exec(block(document, "python", "mtsbench_losses"), names)
    (record,) = list(names["mtsbench_losses"]())
    logit = torch.tensor([[[[[2.0, -1.0]]]]])
    mask = torch.tensor([[[[[1.0, 0.0]]]]])

    value = record.build(gamma=2.0)(
        Outputs(survival=torch.zeros(1, 1), tumour_logit=logit),
        Targets(time=torch.ones(1), event=torch.ones(1, dtype=torch.bool), mask=mask),
    )

    right = torch.tensor([2.0, 1.0]).sigmoid()
    assert value.item() == pytest.approx(
        (-((1 - right) ** 2) * right.log()).mean().item(), rel=1e-5
    )


def test_the_plugin_of_the_readme_has_at_most_twelve_lines():
    code = block("README.md", "python", "mtsbench_losses")

    assert len([line for line in code.splitlines() if line.strip()]) <= 12


def test_ci_runs_the_test_command_of_the_readme():
    assert "make test" in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"


def test_torch_is_pinned_to_the_build_without_cuda_packages():
    assert "torch==2.13.0" in (ROOT / "requirements.txt").read_text().splitlines()
