"""Hooks of MkDocs: documents that lie outside docs/ become pages, and links follow them.

The documents link to each other as files of the repository, which works wherever they are read.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PACKAGES = ("cohorts", "deepmts", "heads", "radiomics", "singletask")
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/statistics/README.md": "type-one-error.md",
    "benchmarks/peers/README.md": "peers.md",
    "benchmarks/records/README.md": "records.md",
    "benchmarks/gpu/README.md": "gpu-day.md",
    "benchmarks/robustness/README.md": "robustness.md",
    **{f"plugins/mtsbench-{name}/README.md": f"packages/{name}.md" for name in PACKAGES},
}
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of documents outside docs/."""
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(root / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages."""
    return link_pages(markdown, page.file.src_uri)


def link_pages(markdown: str, page: str) -> str:
    """The same text with the links of the site.

    Args:
        markdown: With links relative to the document's place in the repository.
        page: Path of the document's page in the site.
    """
    sources = {target: source for source, target in PAGES.items()}
    folder = posixpath.dirname(sources.get(page, f"docs/{page}"))

    def follow(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[1]))
        target = PAGES.get(path, path.removeprefix("docs/"))
        relative = posixpath.relpath(target, posixpath.dirname(page) or ".")
        return f"]({relative}{link[2] or ''})"

    return LINK.sub(follow, markdown)
