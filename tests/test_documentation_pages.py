"""Every block of the documents is followed, in fresh environments; `documents.py` has the rules."""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("docs/**/*.md"))),
]
NAMING_COMMANDS = [
    *(*DOCUMENTS, "benchmarks/README.md", "benchmarks/statistics/README.md"),
    *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("plugins/*/README.md"))),
]
# What their commands do is tested elsewhere too, and all pages together must take a minute or so.
SLOW = ("docs/reproducibility.md", "docs/statistics.md")
KINDS = ("loss", "head", "backbone", "dataset", "model", "metric", "executor", "tracker")


@pytest.fixture(scope="module")
def followed(request, documents, tmp_path_factory):
    """What becomes of each page that is asked for; two are followed at a time."""
    wanted = [
        item.callspec.params["document"]
        for item in request.session.items
        if getattr(item, "originalname", "") == "test_a_page_does_what_it_says"
    ]
    cache = tmp_path_factory.mktemp("cache")
    with ThreadPoolExecutor(2) as pool:
        yield {
            document: pool.submit(
                documents.follow, document, tmp_path_factory.mktemp("page"), cache
            )
            for document in wanted
        }


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "document",
    [pytest.param(one, marks=pytest.mark.slow) if one in SLOW else one for one in DOCUMENTS],
)
def test_a_page_does_what_it_says(followed, document):
    page = followed[document].result()

    if document == "docs/transcript.md":
        for name in ("ranking", "mixer"):
            lines = [
                line
                for file, edited in page.edited.items()
                for line in edited
                if file.startswith(f"mtsbench-{name}/")
            ]
            assert 0 < len(lines) < 40, f"{name} needs {len(lines)} hand-written lines"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_is_run_or_says_why_not(documents, document):
    assert documents.faults(document) == []


@pytest.mark.parametrize("document", NAMING_COMMANDS)
def test_every_command_that_a_document_names_exists(documents, document):
    import typer

    from mtsbench.cli import app

    root = typer.main.get_command(app)
    text = (ROOT / document).read_text()
    named = re.findall(r"`mtsbench\s+([^`]+)`", text)
    code = "\n".join(one.text for one in documents.blocks(document)).replace("\\\n", " ")
    named += re.findall(r"^(?:\$ )?mtsbench (.+)$", code, re.MULTILINE)
    for words in (shlex.split(one.replace("'", ""), comments=True) for one in named):
        command, path = root, [word for word in words if word != "--debug"]
        while hasattr(command, "commands") and path and not path[0].startswith("-"):
            assert path[0] in command.commands, f"no command mtsbench {' '.join(words)}"
            command = command.commands[path.pop(0)]
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        options = {word.partition("=")[0] for word in path if word.startswith("--")}
        assert options <= known | {"--help", "--version"}, f"mtsbench {' '.join(words)}"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_tutorial_that_begins_with_a_new_package_and_checks_it(documents, kind):
    sessions = [
        one for one in documents.blocks(f"docs/tutorials/{kind}.md") if one.language == "console"
    ]
    commands = [command for one in sessions for command, _ in one.commands()]

    new = re.fullmatch(rf"mtsbench plugins new ([a-z-]+) --kind {kind}", commands[0])
    package = f"mtsbench-{new[1]}"
    assert f"pip install -e {package}" in commands
    assert {f"mtsbench plugins check {package}", f"pytest {package}"} & set(commands)


@pytest.fixture
def write(documents, tmp_path, monkeypatch):
    """Writes a document of its own and makes its folder the repository."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text("def test_it():\n    pass\n")
    monkeypatch.setattr(documents, "ROOT", tmp_path)

    def put(text: str) -> str:
        (tmp_path / "page.md").write_text(text.replace("~~~", "```"))
        return "page.md"

    return put


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("~~~\nmtsbench list\n~~~\n", "page.md:1: a bare block that nothing runs or writes"),
        ("~~~python\nx = 1\n~~~\n", "page.md:1: a python block that nothing runs or writes"),
        ("~~~console\nmtsbench list\n~~~\n", "page.md:1: a console block begins with '$ '"),
        ("~~~text\nmtsbench list\n~~~\n", "page.md:1: a text block holds a command"),
        ("- one\n\n  ~~~console\n  $ true\n  ~~~\n", "page.md: a fence is indented"),
        ("Then:\n\n    $ mtsbench list\n", "page.md: a command outside a console block"),
        (
            "<!-- not run: slow (tests/test_x.py::test_gone) -->\n\n~~~console\n$ true\n~~~\n",
            "page.md:3: no test test_gone in tests/test_x.py",
        ),
        (
            "<!-- not run: slow (tests/test_gone.py::test_it) -->\n\n~~~console\n$ true\n~~~\n",
            "page.md:3: no test test_it in tests/test_gone.py",
        ),
        ("<!-- not run: slow -->\n\n~~~\nmtsbench list\n~~~\n", "page.md:3: a bare block"),
    ],
)
def test_a_block_that_would_be_passed_over_is_a_fault(documents, write, text, fault):
    found = documents.faults(write(text))

    assert found[0].startswith(fault)


def test_a_block_that_names_its_test_or_its_file_is_none(documents, write):
    text = (
        "<!-- not run: slow (tests/test_x.py::test_it) -->\n\n~~~console\n$ false\n~~~\n\n"
        "`a.txt`:\n\n~~~text\na\n~~~\n"
    )

    assert documents.faults(write(text)) == []


@pytest.mark.parametrize(
    ("session", "problem"),
    [
        ("$ false\n", r"page\.md:1: \$ false\n1"),
        ("$ echo one two\ntwo\n", "did not print 'two'"),
        ("$ printf 'b\\na\\n'\na\nb\n", "did not print 'b'"),
        ("$ true\nmtsbench: error: nothing\n", r"\$ true\n0"),
    ],
)
def test_a_page_that_does_not_hold_what_it_says_is_noticed(
    documents, write, tmp_path, session, problem
):
    (tmp_path / "folder").mkdir()

    with pytest.raises(AssertionError, match=problem):
        documents.follow(write(f"~~~console\n{session}~~~\n"), tmp_path / "folder", tmp_path)


def test_a_page_is_followed_in_order_with_its_files_and_options(documents, write, tmp_path):
    (tmp_path / "folder").mkdir()
    text = (
        "`a/b.txt`:\n\n~~~text\nold\n~~~\n\n~~~console\n$ cat a/b.txt \\\n  | tr o O\nOld\n~~~\n\n"
        "`a/b.txt`:\n\n~~~text\nold\nnew\n~~~\n\n<!-- runs with: --folds 2 -->\n\n"
        "~~~console\n$ mtsbench run --no-such-option\n~~~\n"
    )

    with pytest.raises(
        AssertionError, match=r"page\.md:22: \$ mtsbench run --no-such-option --folds 2"
    ):
        documents.follow(write(text), tmp_path / "folder", tmp_path)

    assert (tmp_path / "folder" / "a" / "b.txt").read_text() == "old\nnew\n"


def test_what_a_reader_writes_is_counted_without_what_was_there(documents, write, tmp_path):
    (tmp_path / "folder").mkdir()
    text = "~~~console\n$ printf 'a\\nb\\n' > f.txt\n~~~\n\n`f.txt`:\n\n~~~text\na\n\nc\n~~~\n"

    page = documents.follow(write(text), tmp_path / "folder", tmp_path)

    assert page.edited == {"f.txt": ["c"]}


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("┃ 0 ┃ 0.748 ┃", "┃  12 ┃  -0.1 ┃"),
        ("report: runs/npc-pfs-km-demo-4d8f1220/r", "report: runs/npc-pfs-km-demo-00ab12cd/r"),
        ("┏━━┳━━━┓", "┏━━━━┳━━┓"),
        ("...", ""),
    ],
)
def test_numbers_hashes_and_widths_may_differ(documents, shown, printed):
    assert documents.not_printed([shown], [printed]) is None


def test_a_fresh_environment_installs_apart_and_without_the_network(documents, tmp_path):
    import subprocess

    environment = documents.fresh_environment(tmp_path / "env", tmp_path / "cache")

    def run(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True
        )

    assert run("python -c 'import sys; print(sys.prefix)'").stdout.strip() == str(tmp_path / "env")
    assert "mtsbench" in run("mtsbench --version").stdout
    assert "No matching distribution" in run("pip install surely-not-installed-here").stderr
