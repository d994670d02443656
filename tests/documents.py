"""Reads the code blocks of the documents and does what they say, as a reader would.

A fenced block is one of these, told by its language and by the line before it:

- language `console`: commands, each after `$ `, and what they print. They are run in order, in one
  folder for the whole page. What is shown must be printed: the lines in order, apart from numbers
  and the widths of tables; `...` stands for lines left out. A command whose shown output is an
  error of mtsbench must end with exit code 2, every other with 0.
- a line `` `path/of/the/file`: `` before it: the block is written to this file.
- `<!-- not run: REASON (tests/test_x.py::test_name) -->` before it: the named test covers it.
- language `text`: no command.

`<!-- runs with: OPTIONS -->` adds options, as a tiny budget, to every `mtsbench run` after it. A
`mtsbench plugins check` gets more time than a minute, because tests may share the machine.
"""

import ast
import difflib
import os
import re
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"`([\w./-]+)`:\s*\Z")
NOT_RUN = re.compile(r"<!-- not run: ([^(]+) \((\S+\.py)::(\w+)\) -->\s*\Z")
RUNS_WITH = re.compile(r"<!-- runs with: (.+?) -->", re.S)
COMMAND = re.compile(r"^(?:\$ )?(?:mtsbench|pip|make|pytest|python\d?|git|cd|export|source) ", re.M)
PROGRAMS = ("mtsbench", "pip", "pytest", "mkdocs")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|–")
RUN_NAME = re.compile(r"-[0-9a-f]{8}\b")
RULES = re.compile(r"[━─┳┻╇┼┴┬╋┿]+")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: Of its first line in the document.
        before: Text between the block before and this one.
    """

    line: int
    language: str
    text: str
    before: str

    @property
    def file(self) -> str | None:
        """Where a reader writes it."""
        found = FILE.search(self.before)
        return found[1] if found and self.language != "console" else None

    @property
    def not_run(self) -> tuple[str, str, str] | None:
        """Reason, test file and test name."""
        found = NOT_RUN.search(self.before)
        return (found[1], found[2], found[3]) if found else None

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Each command of a session with the lines shown of what it prints."""
        for part in re.split(r"^\$ ", self.text, flags=re.M)[1:]:
            command, lines = "", part.splitlines()
            while lines:
                command += (line := lines.pop(0)).removesuffix("\\")
                if not line.endswith("\\"):
                    break
            yield command, lines


@dataclass
class Page:
    """A folder in which a document was followed.

    Attributes:
        edited: File to the lines that a reader wrote by hand, those of the package before it aside.
    """

    folder: Path
    edited: dict[str, list[str]] = field(default_factory=dict)


def blocks(document: str) -> list[Block]:
    """The fenced blocks of a document, in order."""
    text = (ROOT / document).read_text()
    found, end = [], 0
    for one in FENCE.finditer(text):
        found.append(
            Block(
                line=text.count("\n", 0, one.start()) + 1,
                language=one[1],
                text=one[2],
                before=text[end : one.start()],
            )
        )
        end = one.end()
    return found


def faults(document: str) -> list[str]:
    """What is wrong with the blocks of a document before any of them is run."""
    text = (ROOT / document).read_text()
    found = [
        f"{document}: a fence is indented or of another form: {line!r}"
        for line in text.splitlines()
        if "```" in line and not re.fullmatch(r"```\w*", line)
    ]
    found += [
        f"{document}: a command outside a console block: {line.strip()!r}"
        for line in FENCE.sub("", text).splitlines()
        if re.match(r"(    |\t)\s*(\$|mtsbench) ", line)
    ]
    for block in blocks(document):
        where = f"{document}:{block.line}"
        if block.not_run is not None:
            _, file, name = block.not_run
            if not has_test(ROOT / file, name):
                found.append(f"{where}: no test {name} in {file}")
        elif block.language == "console":
            if not block.text.startswith("$ "):
                found.append(f"{where}: a console block begins with '$ '")
        elif block.language == "text" and COMMAND.search(block.text):
            found.append(f"{where}: a text block holds a command; make it a console block")
        elif block.language != "text" and block.file is None:
            found.append(f"{where}: a {block.language or 'bare'} block that nothing runs or writes")
    return found


def has_test(file: Path, name: str) -> bool:
    """Whether a test file defines this test."""
    if not file.is_file():
        return False
    return any(
        isinstance(node, ast.FunctionDef) and node.name == name
        for node in ast.walk(ast.parse(file.read_text()))
    )


def follow(document: str, folder: Path, cache: Path) -> Page:
    """Write the files and run the commands of a document in a fresh environment.

    Args:
        document: Path in the repository.
        folder: Empty; what the page makes is left in it.
        cache: Folder of prepared cases, which pages may share.

    Raises:
        AssertionError: A command ends otherwise, or prints something else, than the page says.
    """
    environment = fresh_environment(folder / ".venv", cache)
    page, options = Page(folder=folder), ""
    for block in blocks(document):
        for added in RUNS_WITH.findall(block.before):
            options = " ".join(added.split())
        if block.not_run is not None:
            continue
        if block.file is not None:
            page.edited[block.file] = _written(folder / block.file, block.text)
        elif block.language == "console":
            for command, shown in block.commands():
                _run(f"{document}:{block.line}", command, shown, options, folder, environment)
    return page


def fresh_environment(folder: Path, cache: Path) -> dict[str, str]:
    """A new virtual environment on top of this one, without the network; returns its variables.

    What pip installs there is gone with the folder, and what is installed here can be imported.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    site = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    below = sysconfig.get_path("purelib")
    (Path(site) / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")
    for name in PROGRAMS:
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m {name} "$@"\n')
        program.chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(folder / "bin"), "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(cache),
        "COLUMNS": "80",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this as --no-build-isolation
        "PIP_QUIET": "1",
    }


def _run(
    where: str,
    command: str,
    shown: list[str],
    options: str,
    folder: Path,
    environment: dict[str, str],
) -> None:
    if command.startswith("mtsbench run "):
        command += f" {options}"
    if command.startswith("mtsbench plugins check "):
        command += " --seconds 600"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = done.stdout
    expected = 2 if any(line.startswith("mtsbench: error:") for line in shown) else 0
    assert done.returncode == expected, f"{where}: $ {command}\n{done.returncode}\n{printed}"
    missing = not_printed(shown, printed.splitlines())
    assert missing is None, f"{where}: $ {command}\ndid not print {missing!r}, but:\n{printed}"


def not_printed(shown: list[str], printed: list[str]) -> str | None:
    """The first shown line that is not printed after those before it; None if all are."""
    rest = iter([_comparable(line) for line in printed])
    before = None
    for line in shown:
        wanted = _comparable(line)
        if wanted in ("", "...", before):
            continue
        if wanted not in rest:
            return line
        before = wanted
    return None


def _comparable(line: str) -> str:
    """Without what differs between machines and budgets: numbers, hashes, widths."""
    line = NUMBER.sub("0", RUN_NAME.sub("-0", line))
    return " ".join(RULES.sub("─", line).split())


def _written(path: Path, text: str) -> list[str]:
    before = path.read_text().splitlines() if path.exists() else []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    added = (line[2:] for line in difflib.ndiff(before, text.splitlines()) if line[:2] == "+ ")
    return [line for line in added if line.strip()]
