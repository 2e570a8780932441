# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the manual to HTML: `html_manual.py FOLDER`. Runs where Python-Markdown is installed.

Each page of docs/*.md becomes a page of the same name, with the images that it shows. The pages
need no network and no server, so they open from a disk and from a web server alike.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import markdown
import places

DOCS = places.ROOT / "docs"
FRAME = Path(__file__).with_name("manual_page")
STATIC = ("manual.css", "search.js")
EXTENSIONS = ("fenced_code", "sane_lists", "tables", "toc")
LINK = re.compile(r'(href=")(?!https?:|mailto:|#)([\w./-]+)\.md((?:#[\w-]+)?")')
IMAGE = re.compile(r'<img [^>]*src="([^":]+)"')
HEADING = re.compile(r'<h[1-3] id="([^"]+)">(.*?)</h[1-3]>', re.DOTALL)
_INDEX_ROW = re.compile(r"^\s*- \[([^\]]+)\]\(([\w-]+)\.md\)", re.MULTILINE)
# Windows and some Linux desktops drop the #heading of a file's address before the browser sees it.
# A file that sends the browser on to the heading works everywhere.
_REDIRECT = (
    '<!doctype html><meta charset="utf-8"><title>Image to Mesh Manual</title>'
    '<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url=../{0}">'
    '<a href="../{0}">Image to Mesh Manual</a>\n'
)


@dataclass(frozen=True)
class Section:
    """A heading and the text below it, as one entry of the search."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True)
class Page:
    """A rendered page: the name of its file without the suffix, and its body as HTML."""

    name: str
    body: str

    @property
    def images(self) -> list[str]:
        """Paths of its images, relative to the manual's folder."""
        return IMAGE.findall(self.body)

    @property
    def sections(self) -> list[Section]:
        """Its headings in order; the first one is the title of the page."""
        _, *pieces = HEADING.split(self.body)
        return [
            Section(pieces[i], _plain(pieces[i + 1]), _plain(pieces[i + 2]))
            for i in range(0, len(pieces), 3)
        ]

    @property
    def title(self) -> str:
        """The text of its first heading."""
        return self.sections[0].title


def _plain(markup: str) -> str:
    """Return the text of some HTML, without tags and line breaks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def render(source: Path) -> Page:
    """Return the page made from a Markdown file; links to other pages lead to their HTML files."""
    converter = markdown.Markdown(extensions=list(EXTENSIONS), output_format="html")
    body = converter.convert(source.read_text("utf-8"))
    return Page(source.stem, LINK.sub(r"\1\2.html\3", body))


def page_names() -> list[str]:
    """Return the names of the pages: the index, then the others in the order of its links."""
    index = (DOCS / "index.md").read_text("utf-8")
    return list(dict.fromkeys(["index", *(name for _, name in _INDEX_ROW.findall(index))]))


def write(folder: Path) -> None:
    """Replace a folder's content with all pages, their images, the search, and the redirects."""
    # Pages and headings that no longer exist must not stay.
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "go").mkdir(parents=True)
    for name in STATIC:
        shutil.copy(FRAME / name, folder / name)
    pages = [render(DOCS / f"{name}.md") for name in page_names()]
    _write_search(folder, pages)
    for page in pages:
        (folder / f"{page.name}.html").write_text(_in_frame(page, pages), "utf-8")
        _write_redirects(folder / "go", page)
        for image in page.images:
            target = folder / image
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(DOCS / image, target)


def _write_search(folder: Path, pages: list[Page]) -> None:
    rows = [
        {"address": f"{page.name}.html#{section.anchor}", "page": page.title,
         "title": section.title, "text": section.text}
        for page in pages
        for section in page.sections
    ]  # fmt: skip
    text = json.dumps(rows, ensure_ascii=False, indent=0)
    (folder / "search-index.js").write_text(f"const SECTIONS = {text};\n", "utf-8")


def _write_redirects(folder: Path, page: Page) -> None:
    # The first section is the page's title: the page itself is its target.
    for section in page.sections[1:]:
        target = f"{page.name}.html#{section.anchor}"
        path = folder / f"{page.name}.{section.anchor}.html"
        path.write_text(_REDIRECT.format(target), "utf-8")


def _in_frame(page: Page, pages: list[Page]) -> str:
    """Return the HTML file of a page: its body in the frame, with the list of pages beside it."""
    values = {
        "title": html.escape(page.title),
        "version": places.manifest()["version"],
        "pages": "\n".join(_row(other, other.name == page.name) for other in pages),
        "body": page.body,
    }
    frame = (FRAME / "page.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda field: values[field[1]], frame)


def _row(page: Page, is_current: bool) -> str:
    """Return a page's row in the navigation; the current page lists its headings."""
    link = f'<a href="{page.name}.html"'
    if not is_current:
        return f"<li>{link}>{html.escape(page.title)}</a></li>"
    headings = "".join(
        f'<li><a href="#{section.anchor}">{html.escape(section.title)}</a></li>'
        for section in page.sections[1:]
    )
    inner = f"<ul>{headings}</ul>" if headings else ""
    return f'<li>{link} aria-current="page">{html.escape(page.title)}</a>{inner}</li>'


if __name__ == "__main__":
    write(Path(sys.argv[1]))
