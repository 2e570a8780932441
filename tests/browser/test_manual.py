# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page of the manual opens from the disk: its images, links, search and colors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import manual
import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [file for file in manual.files() if file.endswith(".html")]
PAGES = [name for name in NAMES if "/" not in name]
REDIRECTS = [name for name in NAMES if name.startswith("go/")]
# Lines of text are readable from a contrast of 4.5 on (WCAG 2, level AA).
CONTRAST = 4.5
LONGEST = 20.0


def open_page(browser: Any, pages: Path, name: str) -> None:
    """Open a page from the disk, and wait until it and its images are loaded."""
    browser.get((pages / name).as_uri())
    # A redirect is followed after the first page is complete.
    state = "return document.readyState + Boolean(document.querySelector('main'))"
    WebDriverWait(browser, LONGEST).until(lambda _: browser.execute_script(state) == "completetrue")


@pytest.mark.parametrize("name", PAGES)
def test_every_image_of_a_page_is_shown(browser: Any, pages: Path, name: str) -> None:
    open_page(browser, pages, name)
    images = browser.execute_script(
        "return [...document.images].map(image => [image.src, image.complete, image.naturalWidth,"
        " image.alt])"
    )
    assert [image for image in images if not (image[1] and image[2] > 0 and image[3])] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_page_and_a_heading(browser: Any, pages: Path, name: str) -> None:
    open_page(browser, pages, name)
    links = browser.execute_script("return [...document.links].map(link => link.href)")
    assert len(links) >= len(PAGES), "the navigation lists every page"
    dead = [link for link in links if link.startswith("file:") and not is_there(pages, link)]
    assert dead == []


def is_there(pages: Path, link: str) -> bool:
    """Tell whether the manual has the file of a link, and in it the heading."""
    address = urlsplit(link)
    file = pages.joinpath(unquote(address.path)).resolve()
    if not file.is_relative_to(pages) or not file.is_file():
        return False
    return not address.fragment or f'id="{address.fragment}"' in file.read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_navigation_marks_the_page(browser: Any, pages: Path, name: str) -> None:
    open_page(browser, pages, name)
    current = browser.execute_script("return document.querySelector('[aria-current]').textContent")
    title = browser.execute_script("return document.querySelector('h1').textContent")
    assert current == title
    assert browser.title == f"{title} – Image to Mesh Manual"


def test_every_redirect_leads_to_its_heading(browser: Any, pages: Path) -> None:
    for name in REDIRECTS:
        open_page(browser, pages, name)
        page, anchor, _ = name.removeprefix("go/").rsplit(".", 2)
        assert browser.current_url == f"{(pages / page).as_uri()}.html#{anchor}"
        heading = browser.execute_script("return document.querySelector(':target')?.tagName")
        assert heading in ("H2", "H3"), f"{name} leads to no heading"


def test_a_link_is_followed_from_page_to_page(browser: Any, pages: Path) -> None:
    open_page(browser, pages, "index.html")
    browser.execute_script("document.querySelector('main a[href=\"images.html\"]').click()")
    assert browser.current_url == (pages / "images.html").as_uri()


def search(browser: Any, words: str) -> list[str]:
    """Type words into the search field; return the titles that it lists."""
    field = browser.find_element("id", "search")
    field.clear()
    field.send_keys(words)
    rows = browser.find_elements("css selector", "#results a")
    return [str(row.text).splitlines()[0] for row in rows]


def test_the_search_finds_headings_and_text(browser: Any, pages: Path) -> None:
    open_page(browser, pages, "index.html")
    assert search(browser, "quad remesh")[0] == "Quad Remesh"
    assert "Adding an Image" in search(browser, "xclip")
    assert search(browser, "zebra") == []
    assert browser.find_element("id", "results").text == "No results"


def test_enter_opens_the_first_match_and_escape_clears_the_field(browser: Any, pages: Path) -> None:
    open_page(browser, pages, "index.html")
    search(browser, f"quads{Keys.ESCAPE}")
    assert browser.find_element("id", "pages").is_displayed()
    search(browser, f"quad remesh{Keys.ENTER}")
    assert browser.current_url == f"{(pages / 'cleanup.html').as_uri()}#quad-remesh"


def test_the_search_covers_every_heading(pages: Path) -> None:
    script = (pages / "search-index.js").read_text("utf-8")
    rows = json.loads(script.removeprefix("const SECTIONS = ").rstrip(";\n"))
    found = [row["address"] for row in rows]
    assert [address for address in found if not is_there(pages, address)] == []
    headings = sum((pages / name).read_text("utf-8").count(' id="') for name in PAGES)
    own = len(("search", "results", "pages"))
    assert len(found) == headings - own * len(PAGES)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_is_readable_in_both_color_schemes(browser: Any, pages: Path, scheme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    open_page(browser, pages, "images.html")
    places = {"main p": "body", "main a": "body", "main code": "main code", "th": "th",
              "nav > ul > li > a:not([aria-current])": "nav", "nav ul ul a": "nav",
              "a[aria-current]": "a[aria-current]"}  # fmt: skip
    for text, ground in places.items():
        front = luminance(style(browser, text, "color"))
        back = luminance(style(browser, ground, "background-color"))
        assert (back < 0.5) == (scheme == "dark") or "current" in ground, ground
        contrast = (max(front, back) + 0.05) / (min(front, back) + 0.05)
        assert contrast >= CONTRAST, f"{scheme}: {text} has a contrast of {contrast:.1f}"


def style(browser: Any, selector: str, name: str) -> str:
    """Return a computed style of the first element that a selector matches."""
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    return str(browser.execute_script(script, selector, name))


def luminance(color: str) -> float:
    """Return the relative luminance of a CSS color such as rgb(1, 2, 3)."""
    values = [int(part) / 255 for part in color.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_is_wider_than_the_window(browser: Any, pages: Path, width: int) -> None:
    browser.set_window_size(width, 900)
    for name in PAGES:
        open_page(browser, pages, name)
        room = browser.execute_script("return document.documentElement.clientWidth")
        needed = browser.execute_script("return document.documentElement.scrollWidth")
        assert needed <= room, f"{name} needs {needed} pixels"
    browser.set_window_size(1280, 900)
