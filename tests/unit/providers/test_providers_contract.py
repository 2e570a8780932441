# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract that every provider file keeps: this test walks them all."""

from __future__ import annotations

import ast
import inspect
import keyword
import re
from pathlib import Path
from typing import Any

import places
import pytest
from fakes.parsing import parse
from fakes.served import SERVICES, names_of

from image_to_mesh import providers
from image_to_mesh.providers import Provider, Setting, Settings, settings_of
from image_to_mesh.providers._shared.adapters import json_schema, parse_settings

FOLDER = Path(providers.__path__[0])
FILES = sorted(path for path in FOLDER.glob("*.py") if not path.name.startswith("_"))
RESERVED = {"name", "values", "items", "keys", "get", "rna_type", "bl_rna", "id_data", "pop"}
TESTS = "tests/unit/providers"
FREE = ("upload", "submit", "poll", "cancel", "quote", "balance", "headers", "check_server")


def _both(cases: list[tuple[Provider[Any], Setting]]) -> list[Any]:
    return [pytest.param(*case, id=f"{case[0].id}.{case[1].name}") for case in cases]


EVERY = list(providers.all_providers().values())
EVERY_SETTING = _both([(item, entry) for item in EVERY for entry in settings_of(item.settings)])


def test_every_file_is_found_and_local_comes_first() -> None:
    found = providers.all_providers()
    assert set(found) == {path.stem for path in FILES}
    assert next(iter(found)) == "local"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_declares_one_provider_named_like_the_file(path: Path) -> None:
    assert providers.get_provider(path.stem).id == path.stem
    assert ast.get_docstring(parse(path.read_text(encoding="utf-8")))


def find_test_file(provider: Provider[Any]) -> Path | None:
    """Return the provider's own test file, in any folder of the providers' tests."""
    return next((places.ROOT / TESTS).rglob(f"test_{provider.id}.py"), None)


@pytest.mark.parametrize("provider", EVERY, ids=lambda item: item.id)
def test_a_provider_has_a_test_file(provider: Provider[Any]) -> None:
    assert find_test_file(provider), (
        f"{TESTS}/test_{provider.id}.py is missing: test what providers/{provider.id}.py sends, "
        "and what it makes of each answer. See docs/dev/adding-a-provider.md."
    )


@pytest.mark.parametrize("provider", EVERY, ids=lambda item: item.id)
def test_a_provider_has_a_docs_page(provider: Provider[Any]) -> None:
    page = f"{provider.manual_page}.md"
    is_there = (places.ROOT / "docs" / page).is_file()
    assert is_there, f"docs/{page} is missing: it says what {provider.label} makes, and of what."
    for overview in ("services.md", "index.md"):
        text = (places.ROOT / "docs" / overview).read_text("utf-8")
        assert f"({page})" in text, f"docs/{overview} does not link to {page}."


REMOTE = [provider for provider in EVERY if provider.is_remote]


@pytest.mark.parametrize("provider", REMOTE, ids=lambda item: item.id)
def test_a_provider_of_a_service_has_a_fake_that_its_tests_use(provider: Provider[Any]) -> None:
    names = names_of(provider.id)
    found = [name for name in names if (places.ROOT / "tests/fakes" / f"{name}.py").is_file()]
    assert found, f"tests/fakes/{names[0]}.py is missing: the service on loopback, and strict."
    tests = find_test_file(provider)
    if tests is None:
        return  # another test demands it
    fixtures = tests.with_name("conftest.py")
    files = [tests, *([fixtures] if fixtures.is_file() else [])]
    assert any(re.search(rf"fakes\.{found[0]}\b", file.read_text("utf-8")) for file in files), (
        f"{tests.relative_to(places.ROOT)} does not use tests/fakes/{found[0]}.py."
    )
    assert provider.self_hosted or provider.id in SERVICES, (
        f"PLACES in tests/fakes/{found[0]}.py is without {provider.id}: no order fails on purpose."
    )


@pytest.mark.parametrize("provider", EVERY, ids=lambda item: item.id)
def test_the_declaration_of_every_provider_is_complete(provider: Provider[Any]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", provider.id)
    assert provider.label
    assert provider.description
    assert not provider.description.endswith(".")
    assert provider.views[0] == "front"
    assert set(provider.views) <= {"front", "left", "back", "right"}
    assert provider.needs <= {"network", "blender"}
    assert ("network" in provider.needs) == (provider.address is not None)
    endings = {"key": ("_api_key", "_api_secret", "_token"), "header": ("_header",)}
    assert all(key.preference.endswith(endings[key.kind]) for key in provider.keys)
    if any(not key.optional for key in provider.keys):
        assert provider.key_url.startswith("https://")
    if provider.address is not None:
        assert provider.address.default.startswith("https://") or provider.self_hosted


@pytest.mark.parametrize("provider", EVERY, ids=lambda item: item.id)
def test_methods_keep_the_signature_of_the_base(provider: Provider[Any]) -> None:
    for name in FREE:
        ours = inspect.signature(getattr(type(provider), name)).parameters
        base = inspect.signature(getattr(Provider, name)).parameters
        assert list(ours) == list(base), name


@pytest.mark.parametrize("provider", EVERY, ids=lambda item: item.id)
def test_settings_are_frozen_and_their_defaults_pass_their_own_check(
    provider: Provider[Any],
) -> None:
    value = provider.settings()
    assert isinstance(value, Settings)
    with pytest.raises(AttributeError):
        value.anything = 1
    assert parse_settings(provider.settings, {}) == value
    assert json_schema(provider.settings)["additionalProperties"] is False


@pytest.mark.parametrize(("provider", "setting"), EVERY_SETTING)
def test_setting_can_become_a_property(provider: Provider[Any], setting: Setting) -> None:
    assert not keyword.iskeyword(setting.name)
    assert setting.name not in RESERVED
    assert setting.title[0].isupper()
    assert setting.description
    assert not setting.description.endswith(".")
    if setting.kind == "enum":
        assert len(setting.choices) > 1 or setting.optional
        assert [choice for choice in setting.choices if not choice.title] == []
    if setting.kind in ("int", "float") and setting.default is not None:
        low, high = setting.minimum, setting.maximum
        assert low is None or low <= float(setting.default)
        assert high is None or float(setting.default) <= high
    if setting.kind == "int":
        assert setting.maximum is None or setting.maximum < 2**31


@pytest.mark.parametrize(("provider", "setting"), EVERY_SETTING)
def test_every_legal_end_of_a_setting_is_taken_and_the_next_is_refused(
    provider: Provider[Any], setting: Setting
) -> None:
    step = 1 if setting.kind == "int" else 0.5
    for choice in setting.choices:
        value = parse_settings_alone(provider, setting, choice.value)
        assert value == choice.value
    for bound, beyond in ((setting.minimum, -step), (setting.maximum, step)):
        if bound is not None:
            assert parse_settings_alone(provider, setting, bound) == bound
            with pytest.raises(providers.InvalidSettings) as caught:
                parse_settings_alone(provider, setting, bound + beyond)
            assert setting.name in caught.value.message


def parse_settings_alone(provider: Provider[Any], setting: Setting, value: object) -> object:
    """Parse one setting as the command line would give it, without the cross-field rules."""
    from image_to_mesh.providers._shared import adapters

    model = type("Alone", (provider.settings,), {"rules": Settings.rules})
    return getattr(adapters.parse_settings(model, {setting.name: str(value)}), setting.name)


@pytest.mark.parametrize("provider", EVERY, ids=lambda item: item.id)
def test_json_schema_names_every_setting_with_title_and_description(
    provider: Provider[Any],
) -> None:
    properties = json_schema(provider.settings)["properties"]
    for setting in settings_of(provider.settings):
        shown = properties[setting.name]
        assert shown["title"] == setting.title
        assert shown["description"] == setting.description


def test_unknown_provider_is_named_with_the_known_ones() -> None:
    with pytest.raises(providers.InvalidSettings, match="local"):
        providers.get_provider("nobody")


def test_a_file_that_is_dropped_in_is_found(rehearsal: Provider[Any]) -> None:
    assert next(iter(providers.all_providers())) == "local"
    assert "rehearsal" in providers.all_providers()
    kinds = {setting.name: setting.kind for setting in settings_of(rehearsal.settings)}
    assert kinds["finish"] == kinds["style"] == "enum"
    assert kinds["note"] == "str"


def test_keys_prefer_the_preference_and_never_show(rehearsal: Provider[Any]) -> None:
    from_environment = {"REHEARSAL_API_KEY": " env "}
    keys = providers.keys_for(rehearsal, {"rehearsal_api_key": "mine"}, from_environment)
    assert keys["rehearsal_api_key"].reveal() == "mine"
    keys = providers.keys_for(rehearsal, {"rehearsal_api_key": "  "}, from_environment)
    assert keys["rehearsal_api_key"].reveal() == "env"
    shown = f"{keys} {keys['rehearsal_api_key']} {keys['rehearsal_api_key']!r}"
    assert "env" not in shown
    with pytest.raises(providers.MissingKey, match="REHEARSAL_API_KEY") as caught:
        providers.keys_for(rehearsal, {}, {})
    assert caught.value.link == rehearsal.key_url


def test_address_prefers_the_preference(rehearsal: Provider[Any]) -> None:
    env = {"REHEARSAL_BASE_URL": "https://env.example/v1/"}
    assert providers.base_url(rehearsal, {}, {}) == "https://example.com/v1"
    assert providers.base_url(rehearsal, {}, env) == "https://env.example/v1"
    chosen = {"rehearsal_base_url": "https://mine.example"}
    assert providers.base_url(rehearsal, chosen, env) == "https://mine.example"


def test_a_broken_rule_is_refused_with_its_message(rehearsal: Provider[Any]) -> None:
    with pytest.raises(providers.InvalidSettings, match="turn Texture on"):
        parse_settings(rehearsal.settings, {"pbr": "true", "texture": "false"})


def test_misspelled_setting_gets_a_suggestion(rehearsal: Provider[Any]) -> None:
    with pytest.raises(providers.InvalidSettings, match="face_limit"):
        parse_settings(rehearsal.settings, {"face_limits": 3})


def test_an_empty_value_is_a_choice_or_is_reported_as_empty() -> None:
    model = providers.get_provider("tripo").settings
    assert parse_settings(model, {"compress": None, "face_limit": None}) == model()
    with pytest.raises(providers.InvalidSettings, match="cannot be empty"):
        parse_settings(model, {"quad": None})
    with pytest.raises(providers.InvalidSettings, match="one of “”, geometry"):
        parse_settings(model, {"compress": "meshopt"})
