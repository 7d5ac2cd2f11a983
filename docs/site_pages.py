"""For MkDocs: the project's files outside of docs/ join the site, and links between files lead to pages of it."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
JOINED = {
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "CITATION.cff",
    "CITATIONS.md": "citations.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "LICENSE.txt",
    "SECURITY.md": "security.md",
    "THIRD_PARTY.md": "third_party.md",
    "config/README.md": "configuring.md",
    "results/README.md": "files.md",
}
"""Files of the project, and where they stand in the site."""
LINK = re.compile(r"(?<=\]\()([\w./-]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for place, name in JOINED.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / place)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return with_site_links(markdown, page.file.src_uri)


def with_site_links(text: str, name: str) -> str:
    """The text of a page of the site, with links from file to file of the project made links of the site."""
    places = {joined: place for place, joined in JOINED.items()}
    folder = posixpath.dirname(places.get(name, f"docs/{name}"))

    def link(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[1]))
        there = JOINED.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else None)
        return match[1] if there is None else posixpath.relpath(there, posixpath.dirname(name) or ".")

    return LINK.sub(link, text)
