"""Text of any kind in LaTeX, Markdown and CSV: it stays the same text and breaks no file."""

from __future__ import annotations

import csv
import re
import shutil
import string
import subprocess
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mtsbench.report.escaping import ACCENTS, GREEK, LATEX, SYMBOLS, latex, markdown
from mtsbench.report.text_table import Table, write_table

PDFLATEX = shutil.which("pdflatex")
NEEDS_LATEX = pytest.mark.skipif(
    PDFLATEX is None, reason="pdflatex is not on PATH (texlive-latex-base and -recommended)"
)
SPECIAL = "%&_#${}~^\\<>|\"'`[]*-?!,±–—μµ≥≤×éüčøß°²α中\u0301\u200b"
TEXTS = st.text(
    st.one_of(
        st.sampled_from(SPECIAL + string.ascii_letters + string.digits + " \n\t"),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=40,
)
# What may follow a backslash, and nothing else may: a letter word that a table knows, or one sign.
COMMANDS = {
    *re.findall(r"\\([a-zA-Z]+)", " ".join((*LATEX.values(), *SYMBOLS.values()))),
    *GREEK.values(),
    *(accent[1:] for accent in ACCENTS.values() if accent[1:].isalpha()),
}
SIGNS = set("{}$&#_%^") | {accent[1:] for accent in ACCENTS.values() if not accent[1:].isalpha()}


def tokens(source: str) -> list[str]:
    """Commands, signs behind a backslash, and single characters, as TeX reads them."""
    return re.findall(r"\\[a-zA-Z]+|\\.|.", source, re.DOTALL)


def table(caption: str, *cells: str) -> Table:
    return Table(
        name="t", caption=caption, columns=("model", "a_b"), rows=(tuple(cells), ("[x]", "*y"))
    )


@given(TEXTS)
@example("95 % interval of a_b & c")
@example("--reference {x} $1")
@example("\\end{tabular}")
def test_any_text_is_latex_that_only_says_what_it_is_known_to_say(text):
    source = latex(text)

    depth, mathematics = 0, False
    for token in tokens(source):
        if token.startswith("\\"):
            assert token[1:] in COMMANDS or token[1:] in SIGNS
        elif token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
            assert depth >= 0
        elif token == "$":
            mathematics = not mathematics
        else:
            assert token == "^" if mathematics and not token.isdigit() and token != "-" else True
            assert token not in '%&#_~<>|"' + "^" * (not mathematics)
            assert token.isascii()
            assert token.isprintable()
    assert (depth, mathematics) == (0, False)
    # A row that begins with one of these would hand it to the line end before it.
    assert not source.startswith(("[", "*"))


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + " .:;+=()/@"), max_size=30))
def test_plain_text_is_itself(text):
    assert latex(text) == markdown(text) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("95 % of a_b", r"95 \% of a\_b"),
        ("R&D #1 $2 {x}", r"R\&D \#1 \$2 \{x\}"),
        (r"a\b~c^d", r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d"),
        ("p <0.001, C >= 0.5", r"p \textless{}0.001, C \textgreater{}= 0.5"),
        ("0.7 ± 0.1 – 5 μm ≥ 2", r"0.7 $\pm$ 0.1 -- 5 $\mu$m $\geq$ 2"),
        ("Čech é, n = ñ", r"\v{C}ech \'{e}, n = \~{n}"),
        ("--out", "-{}-out"),
        ("-0.2", "-0.2"),
        ("[0, 1]", "{[}0, 1{]}"),
        ("中", "{[}U+4E2D{]}"),
        ("two\nlines", "two lines"),
    ],
)
def test_latex_of_known_texts(text, source):
    assert latex(text) == source


@given(TEXTS, TEXTS)
@example("a|b", "*x* _y_ `z` <b> &amp; [l](u) ~~s~~")
@example("\\", "\\|")
def test_markdown_reads_the_same_cells_again(first, second):
    html = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .render(table("", first, second).markdown())
    )
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)[:2]

    def plain(text: str) -> str:
        for name, sign in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("amp", "&")):
            text = text.replace(f"&{name};", sign)
        return text

    # The parser replaces U+0000, as its specification says, and every blank is a blank.
    wanted = [" ".join(one.replace("\0", "\ufffd").split()) for one in (first, second)]
    assert [plain(" ".join(cell.split())) for cell in cells] == wanted


@given(TEXTS, TEXTS)
@example('a,"b', "c\r\nd")
@example("", "")
def test_csv_reads_the_same_cells_again(tmp_path_factory, first, second):
    folder = tmp_path_factory.mktemp("csv")
    write_table(table("", first, second), folder)

    with (folder / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))

    wanted = [" ".join(one.split()) for one in (first, second)]
    assert rows == [["model", "a_b"], wanted, ["[x]", "*y"]]


def compiled(folder, *sources: str) -> str:
    """The log of a document that asks for booktabs alone and holds these sources."""
    body = "\n\\clearpage\n".join(sources)
    (folder / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    done = subprocess.run(
        [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-1500:]
    return (folder / "paper.log").read_text(errors="replace")


@pytest.mark.slow
@NEEDS_LATEX
def test_every_character_that_is_known_compiles(tmp_path):
    every = [chr(code) for code in range(0x250) if unicodedata.category(chr(code)) != "Cc"]
    known = [*every, *LATEX, *SYMBOLS, *GREEK, *SPECIAL]
    rows = tuple((one, one * 2) for one in known)
    sources = [
        Table(name="t", caption=SPECIAL, columns=("100 %", "a_b"), rows=rows[n : n + 30]).latex()
        for n in range(0, len(rows), 30)
    ]

    log = compiled(tmp_path, *sources)

    assert "Missing character" not in log


@pytest.mark.slow
@NEEDS_LATEX
def test_every_table_of_a_report_compiles(analysed, stored, tmp_path):
    from mtsbench.report.comparison_page import write_report

    found = analysed("poor", {"poor": 3.0, "good_&_50%": 0.5}, repeats=2, seeds=(0, 1))
    write_report([found], tmp_path / "out")
    tables = sorted((tmp_path / "out").glob("**/*.tex"))

    names = {path.stem for path in tables}
    assert {"leaderboard", "differences", "calibration", "runs", "checklist"} <= names
    compiled(tmp_path, *(path.read_text() for path in tables))
