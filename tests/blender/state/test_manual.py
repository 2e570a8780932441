# SPDX-License-Identifier: GPL-3.0-or-later
"""Online Manual in the right-click menu opens the built page of each button, at its heading."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import bl_operators.wm
import bpy
import manual
import places
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

BASES = (bpy.types.PropertyGroup, bpy.types.AddonPreferences)
# Before 5.0, Blender reports that it cannot find the class of an add-on's preferences: their fields
# have no page there. The map has them for the versions that can.
HAS_PREFERENCES = bpy.app.version >= (5, 0, 0)
PREFERENCES = "IMAGE_TO_MESH_preferences."
# The watcher runs by itself, and a version is shown when its edit has ended. A result's button has
# the result's name, and it is renamed in its field. That of a server's setting is a question mark.
WITHOUT_BUTTON = ("watch", "bring_version", "take_edit", "select_result", "rename_result",
                  "apply_preset", "describe_setting")  # fmt: skip
# What Blender itself puts into every property group and operator.
BUILT_IN = ("rna_type", "name", "bl_idname")


@pytest.fixture
def installed(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of addresses, as it is in an add-on that was installed from a zip."""
    module = addon_module("state.manual")
    monkeypatch.setattr(module, "_IS_BUILT", True)
    monkeypatch.setattr(module, "FOLDER", f"{manual.build().as_uri()}/")
    return module


def documented_ids() -> Iterator[str]:
    """Return what the right-click menu gives for each operator, setting, and preference."""
    for name in dir(bpy.ops.image_to_mesh):
        yield f"image_to_mesh.{name}"
    for base in BASES:
        for cls in base.__subclasses__():
            if cls.__name__.startswith("IMAGE_TO_MESH_") and cls.is_registered:
                yield from (
                    f"{cls.__name__}.{prop.identifier}"
                    for prop in cls.bl_rna.properties
                    if prop.identifier not in BUILT_IN and not prop.is_hidden and not is_group(prop)
                )


def is_group(prop: bpy.types.Property) -> bool:
    """Tell whether a property is a group of others, which is nowhere shown as a whole."""
    return prop.type == "POINTER" and issubclass(type(prop.fixed_type), bpy.types.PropertyGroup)


def rna_id(doc_id: str) -> str:
    """Return the id that Blender looks up in the maps of manuals."""
    found = bl_operators.wm._wm_doc_get_id(doc_id, do_url=False)
    if found is None and not HAS_PREFERENCES and doc_id.startswith(PREFERENCES):
        return f"bpy.types.{doc_id}"
    assert found, f"Blender finds nothing for {doc_id}"
    return str(found)


def manual_address(doc_id: str) -> str:
    """Return the address that Blender's own operator opens."""
    lookup = bl_operators.wm.WM_OT_doc_view_manual._lookup_rna_url
    address = lookup(rna_id(doc_id), verbose=False)
    assert address, f"{doc_id} has no page"
    return str(address)


def redirect_target(address: str) -> tuple[Path, str]:
    """Return the page and the heading that a redirect leads to; other pages have no heading."""
    path = Path(unquote(urlsplit(address).path))
    redirect = re.search(r'url=\.\./([^"#]+)#([^"]+)', path.read_text("utf-8"))
    if redirect is None:
        return path, ""
    return path.parent.parent / redirect[1], redirect[2]


def test_everything_has_a_heading_of_its_own_in_the_built_pages(installed: Any) -> None:
    found = list(documented_ids())
    assert {"image_to_mesh.generate", "IMAGE_TO_MESH_PG_local.shape",
            "IMAGE_TO_MESH_preferences.tripo_api_key"} <= set(found)  # fmt: skip
    for doc_id in found:
        if doc_id.startswith(PREFERENCES) and not HAS_PREFERENCES:
            assert rna_id(doc_id) == f"bpy.types.{doc_id}"
            continue
        page, heading = redirect_target(manual_address(doc_id))
        assert page.is_relative_to(manual.FOLDER), doc_id
        assert heading, f"{doc_id} leads to {page.name} as a whole: name its heading"
        assert f'id="{heading}"' in page.read_text("utf-8"), f"{doc_id}: {page.name}#{heading}"


def section_text(page: Path, heading: str) -> str:
    """Return the text of a built page from a heading to the next one."""
    _, _, rest = page.read_text("utf-8").partition(f' id="{heading}"')
    text = html.unescape(re.sub(r"<[^>]+>", " ", re.split(r"<h[12] |</main>", rest)[0]))
    return " ".join(text.split())


def button_texts(name: str) -> set[str]:
    """Return what the interface calls an operator: its label, its buttons, its choices."""
    rna = getattr(bpy.ops.image_to_mesh, name).get_rna_type()
    choices = [item.name for prop in rna.properties if prop.type == "ENUM"
               for item in prop.enum_items]  # fmt: skip
    drawn = re.compile(rf'"image_to_mesh\.{name}", (?:text=)?(?:tr\()?"([^"]+)"')
    files = [
        file for room in ("panels", "operators") for file in (places.ROOT / room).rglob("*.py")
    ]
    buttons = [text for file in files for text in drawn.findall(file.read_text("utf-8"))]
    return {rna.name, *choices, *buttons}


def test_the_section_of_each_operator_names_its_button(installed: Any) -> None:
    named = {name for name in dir(bpy.ops.image_to_mesh) if name not in WITHOUT_BUTTON}
    for name in sorted(named):
        page, heading = redirect_target(manual_address(f"image_to_mesh.{name}"))
        texts = button_texts(name)
        section = section_text(page, heading)
        assert any(text in section for text in texts), f"{page.name}#{heading} has none of {texts}"


@pytest.mark.parametrize("group", ["placement", "mending", "care"])
def test_the_section_of_each_import_setting_names_it(installed: Any, group: str) -> None:
    prefix = f"IMAGE_TO_MESH_PG_{group}"
    # Not by __subclasses__(), which also has classes that earlier tests unregistered.
    registered = bpy.types.PropertyGroup.bl_rna_get_subclass_py(prefix)
    assert registered is not None, f"{prefix} is not registered"
    names = [doc_id.split(".")[1] for doc_id in documented_ids() if doc_id.startswith(prefix)]
    assert names
    for name in names:
        page, heading = redirect_target(manual_address(f"{prefix}.{name}"))
        label = registered.bl_rna.properties[name].name
        assert label in section_text(page, heading), f"{page.name}#{heading}: {label}"


def test_the_menu_opens_exactly_that_file(installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("webbrowser.open", seen.append)
    assert bpy.ops.wm.doc_view_manual(doc_id="image_to_mesh.quad_remesh") == {"FINISHED"}
    assert seen == [f"{manual.FOLDER.as_uri()}/go/cleanup.quad-remesh.html"]
    page, heading = redirect_target(seen[0])
    assert (page, heading) == (manual.FOLDER / "cleanup.html", "quad-remesh")


def test_no_target_is_left_over(installed: Any) -> None:
    """The map has no rows for operators or properties that were renamed or removed."""
    names = {rna_id(doc_id).lower() for doc_id in documented_ids()}
    providers = addon_module("providers").all_providers()
    without_settings = {f"bpy.types.image_to_mesh_pg_{provider}.*" for provider in providers}
    for pattern in {pattern for pattern, _ in installed.targets()} - without_settings:
        expression = re.escape(pattern).replace(r"\*", ".*")
        assert any(re.fullmatch(expression, name) for name in names), f"nothing is {pattern}"


@pytest.mark.parametrize(
    ("address", "is_built", "page"),
    [
        ("", True, "go/results.errors.html"),
        ("", False, "results.md"),
        ("https://example.org/manual/", True, "results.html#errors"),
        ("https://example.org/manual/", False, "results.html#errors"),
    ],
)
def test_one_setting_decides_where_the_pages_are(
    installed: Any, monkeypatch: pytest.MonkeyPatch, address: str, is_built: bool, page: str
) -> None:
    monkeypatch.setattr(installed, "ADDRESS", address)
    monkeypatch.setattr(installed, "_IS_BUILT", is_built)
    assert installed.page_address("results#errors") == page
    assert installed.page_address("results") == page.replace("go/", "").replace(
        ".errors", "").replace("#errors", "")  # fmt: skip
