# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip for bug reports: useful, and without anything secret."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from image_to_mesh import providers
from image_to_mesh.jobs.diagnostics import anonymize, write_diagnostics
from image_to_mesh.providers import Secret

KEYS = ("tsk_4f1ÜgeheimXYZ0123456789", 'quote"in\\key', "plain-secret-value")


def write_and_read(tmp_path: Path, library: Path) -> tuple[str, list[str]]:
    """Return all text of the zip, and the names in it."""
    target = tmp_path / "report.zip"
    write_diagnostics(
        target,
        versions={"blender": "5.0.1"},
        preferences={"tripo_api_key": KEYS[0], "tripo_base_url": f"https://me:{KEYS[1]}@a.test/x"},
        library=library,
        secrets=[Secret(key) for key in KEYS],
    )
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        return "\n".join(archive.read(name).decode() for name in names), names


def record(library: Path, job: str, **values: Any) -> None:
    """Put a job's record into a library, with pictures and a mesh beside it."""
    (library / job).mkdir(parents=True)
    (library / job / "job.json").write_text(json.dumps({"id": job, **values}), "utf-8")
    (library / job / "front.png").write_bytes(b"\x89PNG picture")
    (library / job / "mesh.glb").write_bytes(b"glTF mesh")


def test_the_diagnostics_hold_no_key(tmp_path: Path) -> None:
    library = tmp_path / "library"
    record(library, "a", note=f"refused {KEYS[0]}", failure={"message": KEYS[1]})
    record(library, "b", ticket={"url": f"https://cdn.test/m.glb?sig={KEYS[2]}&x=1"})
    record(library, "c", ticket={"authorization": "Bearer unknown-key-of-another"})
    record(library, "d", note="sk-aaaaaaaaaaaaaaaaaaaaaaaa and https://u:p@h.test/f#frag")
    text, _ = write_and_read(tmp_path, library)
    for key in (*KEYS, json.dumps(KEYS[1])[1:-1], "unknown-key", "aaaaaaaaaaaa", "sig=", "u:p@"):
        assert key not in text, key
    assert "https://cdn.test/m.glb" in text
    assert str(Path.home()) not in text or len(str(Path.home())) <= 3


def test_the_diagnostics_say_what_a_maintainer_asks_for(tmp_path: Path) -> None:
    library = tmp_path / "library"
    for number in range(25):
        record(library, f"job-{number:02}", state="ready")
    text, names = write_and_read(tmp_path, library)
    report = json.loads(text[: text.index("\n{", 1)])
    assert report["versions"]["blender"] == "5.0.1"
    assert report["keys that are set"] == ["tripo_api_key"]
    assert len(names) == 21
    assert "jobs/job-24.json" in names
    assert "jobs/job-04.json" not in names
    assert not [name for name in names if name.endswith((".png", ".glb"))]


def test_diagnostics_work_without_a_library(tmp_path: Path) -> None:
    assert write_and_read(tmp_path, tmp_path / "none")[1] == ["report.json"]


def test_ordinary_words_are_not_redacted() -> None:
    said = "The key works; 3 tokens; see https://docs.test/page for keys."
    assert anonymize(said, []) == said


def test_an_existing_ca_bundle_is_used_and_a_missing_one_is_reported(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: providers.set_ca_bundle(""))
    from image_to_mesh.providers._shared.http.ca_bundle import ca_bundle

    assert ca_bundle() == ("", "")
    bundle = tmp_path / "company.pem"
    providers.set_ca_bundle(str(bundle))
    assert ca_bundle() == ("", "")
    assert str(bundle) in providers.ca_bundle_problem()
    bundle.write_text("", "utf-8")
    providers.set_ca_bundle(str(bundle))
    assert ca_bundle() == (str(bundle), "Certificate Bundle")
    assert providers.ca_bundle_problem() == ""


def test_the_diagnostics_include_odd_folders_and_records(tmp_path: Path) -> None:
    library = tmp_path / "library"
    for name in ("odd\udcff\x1b[31m", "odd\udcfe\x1b[31m", f"key {KEYS[2]}", "con"):
        record(library, name, note="\ud83d\x1b", settings={"\udcff": KEYS[2]})
    text, names = write_and_read(tmp_path, library)
    assert len(set(names)) == 5
    assert [name for name in names if not name.isprintable()] == []
    assert KEYS[2] not in text + "".join(names)
