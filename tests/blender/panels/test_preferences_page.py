# SPDX-License-Identifier: GPL-3.0-or-later
"""The preferences' page, the diagnostics it saves, and the manual that it and right-click open."""

from __future__ import annotations

import re
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.recording import Seen, draw_preferences

if TYPE_CHECKING:
    from types import ModuleType


def test_the_page_has_library_limit_and_diagnostics(preferences: Any) -> None:
    seen = draw_preferences(preferences)
    rows = {row["property"] for row in seen.all("prop")}
    assert {"library", "tripo_api_key", "aiml_api_key", "scenario_api_key"} <= rows
    assert "certificates" not in rows
    assert seen.button("image_to_mesh.save_diagnostics")
    assert seen.button("image_to_mesh.show_folder")
    preferences.show_addresses = True
    assert draw_preferences(preferences).prop("certificates")


def test_keys_are_masked_and_addresses_are_not(preferences: Any) -> None:
    properties = preferences.bl_rna.properties
    for provider in addon_module("providers").all_providers().values():
        for field in provider.keys:
            assert properties[field.preference].subtype == "PASSWORD"


def test_a_certificate_bundle_is_used_at_once(preferences: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.write_text("", "utf-8")
    ca_bundle = addon_module("providers._shared.http.ca_bundle").ca_bundle
    preferences.certificates = str(bundle)
    assert ca_bundle() == (str(bundle), "Certificate Bundle")
    preferences.certificates = str(tmp_path / "none.pem")
    assert ca_bundle() == ("", "")
    preferences.show_addresses = True
    assert "none.pem" in draw_preferences(preferences).text()
    preferences.certificates = ""
    assert ca_bundle() == ("", "")


def test_a_library_limit_is_given_in_gigabytes(preferences: Any) -> None:
    assert addon_module("preferences").library_limit(bpy.context) == 0
    preferences.library_limit = 1.5
    assert addon_module("preferences").library_limit(bpy.context) == 1_500_000_000


def test_the_library_is_unlimited_by_default(preferences: Any) -> None:
    seen = draw_preferences(preferences)
    usual = seen.prop("library_usual_limit")
    assert (usual["enabled"], usual["text"]) == (False, "")
    assert preferences.library_usual_limit == 100.0
    assert "library_limit" not in {row["property"] for row in seen.all("prop")}
    preferences.use_library_limit = True
    assert preferences.library_limit == 100.0
    seen = draw_preferences(preferences)
    assert "library_usual_limit" not in {row["property"] for row in seen.all("prop")}
    limit = seen.prop("library_limit")
    assert (limit["enabled"], limit["text"]) == (True, "")
    preferences.library_limit = 7.0
    preferences.use_library_limit = True
    assert preferences.library_limit == 7.0
    preferences.use_library_limit = False
    assert preferences.library_limit == 0.0


def test_an_empty_field_says_what_is_used(
    preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIML_API_KEY", "from-the-environment-77")
    monkeypatch.delenv("TRIPO_API_KEY", raising=False)
    seen = draw_preferences(preferences)
    assert seen.prop("aiml_api_key")["placeholder"] == "From AIML_API_KEY"
    assert seen.prop("tripo_api_key")["placeholder"] == "Paste your key"
    used = addon_module("preferences").library(bpy.context)
    assert seen.prop("library")["placeholder"] == str(used)


def titles(seen: Seen) -> list[str]:
    """Return the names of the services' rows, each beside the arrow that folds its key."""
    folds = [at for at, row in enumerate(seen.shown)
             if re.match("show_.*_api_key$", row.get("property", ""))]  # fmt: skip
    return [seen.shown[at + 1]["text"] for at in folds]


def service_row(preferences: Any) -> list[tuple[str, str]]:
    """Return the kinds and texts of what the row of Tripo shows, its key closed."""
    preferences.show_tripo_api_key = False
    shown = draw_preferences(preferences, unfolded=False).shown
    at = next(at for at, row in enumerate(shown) if row.get("property") == "show_tripo_api_key")
    return [(row["kind"], row["text"]) for row in shown[at + 1 : at + 5]]


def test_the_columns_of_a_service_stay_where_they_are(
    preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(state: str, balance: str) -> list[tuple[str, str]]:
        ends = [("label", state), ("label", balance), ("operator", "Get a Key")]
        return [("label", "Tripo"), *ends]

    jobs, account = addon_module("jobs"), addon_module("panels.account_text")
    replies = {
        "Key Set": None,
        "Key Works": jobs.AccountAnswer(),
        "Checking...": jobs.AccountAnswer(waiting=True),
        "Balance Unknown": jobs.AccountAnswer(failure=jobs.Failure("network", "Down", "")),
    }
    monkeypatch.delenv("TRIPO_API_KEY", raising=False)
    monkeypatch.setenv("TRIPO_BASE_URL", "http://127.0.0.1:9/v3")
    assert service_row(preferences) == row("No Key", "")
    preferences.tripo_api_key = "tsk_0123456789"
    for state, reply in replies.items():
        monkeypatch.setattr(account, "answer", lambda *_, reply=reply: reply)
        assert service_row(preferences) == row(state, "")
    paid = jobs.AccountAnswer(182_000.0, "Credits")
    monkeypatch.setattr(account, "answer", lambda *_: paid)
    assert service_row(preferences) == row("Key Works", "182,000 Credits")
    monkeypatch.delenv("TRIPO_BASE_URL")
    assert service_row(preferences) == row("Key Set", ""), "offline is said once, above the rows"


def test_services_stand_in_order_of_use(preferences: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page = addon_module("panels.keys.preferences_page")
    index = addon_module("jobs").library_index(addon_module("preferences").library(bpy.context))
    for name in ("TRIPO", "AIML", "SCENARIO_SDK"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)

    def names(*used: str) -> list[str]:
        """Return the names of three services in the order of their rows."""
        page._orders.clear()
        made = tuple(SimpleNamespace(provider=name) for name in used)
        monkeypatch.setattr(index, "entries", made)
        seen = draw_preferences(preferences, unfolded=False)
        return [name for name in titles(seen) if name in ("Tripo", "Scenario", "AI/ML API")]

    assert names() == ["Tripo", "Scenario", "AI/ML API"]
    preferences.aiml_api_key = "key-of-a-service"
    assert names() == ["AI/ML API", "Tripo", "Scenario"]
    assert names("local", "scenario", "aiml_magic") == ["Scenario", "AI/ML API", "Tripo"]
    preferences.tripo_api_key = "tsk_entered-now"
    monkeypatch.setattr(index, "entries", ())
    seen = draw_preferences(preferences, unfolded=False)
    assert titles(seen)[0] == "Scenario", "rows stay where they are while a key is entered"
    fields = {row["property"] for row in seen.all("prop")}
    assert "tripo_api_key" in fields, "the recommended service is open"
    assert "aiml_api_key" not in fields
    page._orders.clear()


def test_diagnostics_hold_no_key(
    preferences: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIML_API_KEY", "from-the-environment-77")
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    preferences.tripo_api_key = " tsk_in_the_preferences "
    job = tmp_path / "library" / "a"
    job.mkdir(parents=True)
    (job / "job.json").write_text('{"note": "tsk_in_the_preferences from-the-environment-77"}')
    target = tmp_path / "report"
    assert bpy.ops.image_to_mesh.save_diagnostics(filepath=str(target)) == {"FINISHED"}
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "tsk_in_the" not in text
    assert "from-the-environment" not in text
    assert bpy.app.version_string in text
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.image_to_mesh.save_diagnostics(filepath=str(tmp_path / "no" / "where.zip"))


def test_every_operator_and_setting_has_a_page_that_is_there(addon: ModuleType) -> None:
    """A checkout opens the pages' sources; tests/blender/state/test_manual.py has the zip's."""
    prefix, pages = addon_module("state.manual").manual_map()
    assert (addon_module("state.manual").manual_map) in list(bpy.utils._manual_map)
    names = [f"bpy.ops.image_to_mesh.{name}" for name in dir(bpy.ops.image_to_mesh)]
    names += ["bpy.types.image_to_mesh_pg_scene.image", "bpy.types.image_to_mesh_pg_tripo.quad",
              "bpy.types.image_to_mesh_preferences.tripo_api_key"]  # fmt: skip
    for name in names:
        page = next((page for pattern, page in pages if fnmatch(name, pattern)), None)
        assert page, name
        address = prefix + page
        file = Path(unquote(urlsplit(address).path))
        assert file.is_file(), address
    assert all(re.fullmatch(r"[a-z_.*0-9]+", pattern) for pattern, _ in pages)


def test_every_operator_says_what_it_does(addon: ModuleType) -> None:
    for name in dir(bpy.ops.image_to_mesh):
        rna = getattr(bpy.ops.image_to_mesh, name).get_rna_type()
        made = getattr(bpy.types, f"IMAGE_TO_MESH_OT_{name}")
        assert rna.description or "description" in vars(made), name
        for item in rna.properties:
            hidden = item.is_hidden or item.identifier in (
                "rna_type",
                "filter_glob",
                "remove_active",
            )
            assert item.description or hidden, f"{name}.{item.identifier}"


def test_the_docs_are_in_the_zip() -> None:
    """As HTML pages with their images; the sources stay in the repository."""
    import manual
    import package

    built = manual.files()
    assert {"index.html", "images/panel-ready.png"} <= set(built)
    assert not package.is_product("docs/index.md")
    assert not package.is_product("docs/images/click-after.png")
    assert (places.ROOT / "docs/index.md").is_file()


def test_an_optional_token_is_got_where_it_is_entered(preferences: Any) -> None:
    """A user's own server needs none: its closed row must not ask for one."""
    pages = {provider.key_url for provider in addon_module("providers").all_providers().values()
             if provider.key_url and provider.keys[0].optional}  # fmt: skip
    assert pages
    buttons = draw_preferences(preferences, unfolded=False).buttons("wm.url_open")
    assert not pages & {row["button"].url for row in buttons}
    preferences.show_gradio_token = True
    opened = draw_preferences(preferences, unfolded=False).buttons("wm.url_open")
    assert {row["text"] for row in opened if row["button"].url in pages} == {
        "Get Hugging Face Token"
    }
