"""Any text as the same text in LaTeX and in Markdown, whatever characters it holds."""

from __future__ import annotations

import re
import unicodedata

# Everything here is valid in pdfLaTeX's default fonts (OT1), without any package.
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedblright{}",
    # At the beginning of a row these would belong to the `\\` before it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
# Two of these side by side would melt into one dash or quotation mark.
MELTING = frozenset("-'`,?!")
SYMBOLS = {
    "–": "--",
    "—": "---",
    "‘": "`{}",
    "’": "'{}",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "−": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "°": r"$^\circ$",
    "²": "$^2$",
    "³": "$^3$",
    "µ": r"$\mu$",
    "§": r"\S{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
}
GREEK = dict(
    re.findall(
        r"(\w)=(\w+)",
        "α=alpha β=beta γ=gamma δ=delta ε=epsilon ζ=zeta η=eta θ=theta ι=iota κ=kappa λ=lambda "
        "μ=mu ν=nu ξ=xi π=pi ρ=rho σ=sigma τ=tau υ=upsilon φ=phi χ=chi ψ=psi ω=omega Γ=Gamma "
        "Δ=Delta Θ=Theta Λ=Lambda Ξ=Xi Π=Pi Σ=Sigma Φ=Phi Ψ=Psi Ω=Omega",
    )
)
ACCENTS = {
    "\u0300": r"\`",
    "\u0301": r"\'",
    "\u0302": r"\^",
    "\u0303": r"\~",
    "\u0304": r"\=",
    "\u0306": r"\u",
    "\u0307": r"\.",
    "\u0308": r"\"",
    "\u030a": r"\r",
    "\u030b": r"\H",
    "\u030c": r"\v",
    "\u0327": r"\c",
}
# What has a meaning inside a cell of a Markdown table.
MARKDOWN = re.compile(r"([\\`*|~\[\]]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<!\w)_|_(?!\w))", re.ASCII)


def latex(text: str) -> str:
    """Text as LaTeX source that needs no package, on one line.

    A character that LaTeX's own fonts do not have is written as its code, `[U+4E2D]`: nothing is
    lost in silence, and the table compiles.
    """
    pieces: list[str] = []
    before = ""
    for character in unicodedata.normalize("NFC", one_line(text)):
        pieces.append("{}" * (character in MELTING and before in MELTING) + _latex(character))
        before = character
    return "".join(pieces)


def markdown(text: str) -> str:
    """Text as the content of a cell of a Markdown table (GitHub's form)."""
    return MARKDOWN.sub(r"\\\1", one_line(text))


def one_line(text: str) -> str:
    """The text with every run of blanks, line ends included, as one space."""
    return " ".join(text.split())


def _latex(character: str) -> str:
    for known in (LATEX, SYMBOLS):
        if character in known:
            return known[character]
    if character in GREEK:
        return f"$\\{GREEK[character]}$"
    if character.isascii() and character.isprintable():
        return character
    letter, *accents = list(unicodedata.normalize("NFD", character))
    if letter.isascii() and letter.isalpha() and accents and ACCENTS.keys() >= set(accents):
        for accent in accents:
            letter = f"{ACCENTS[accent]}{{{letter}}}"
        return letter
    return f"{{[}}U+{ord(character):04X}{{]}}"
