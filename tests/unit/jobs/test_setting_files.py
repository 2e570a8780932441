# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that a setting names is read once, kept with the job, and never read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.glb import triangle_glb
from fakes.running import end_of, spec_for
from fakes.workshop import SERVICES, Workshop, serving

from image_to_mesh import providers
from image_to_mesh.jobs import JobSpec, JobView, Library, Session, State
from image_to_mesh.jobs.library.recovery import ResumeContext
from image_to_mesh.jobs.setting_files import read_setting_files, record_settings
from image_to_mesh.jobs.steps.fingerprint import order_of
from image_to_mesh.providers import InvalidSettings

GRAPH = '{"9": {"class_type": "SaveGLB"}}'


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """The fake server, with its provider beside the real ones."""
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, SERVICES])
    providers.all_providers.cache_clear()
    with serving(Workshop(mesh=triangle_glb(5))) as running:
        yield running
    providers.all_providers.cache_clear()


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A file of the user's."""
    file = tmp_path / "my graphs" / "Cup.JSON"
    file.parent.mkdir()
    file.write_text(GRAPH)
    return file


def spec_with(graph: Path, workshop: Workshop, png: bytes, library: Path, **how: Any) -> JobSpec:
    """Return an order with the file."""
    settings = providers.get_provider("workshop").settings(graph=str(graph))
    return spec_for(
        library, png, "workshop",
        settings=settings, files=read_setting_files(settings), base_url=workshop.url, **how,
    )  # fmt: skip


@pytest.fixture
def done(workshop: Workshop, graph: Path, png: bytes, tmp_path: Path, running: Session) -> JobView:
    """A finished order with the file."""
    return end_of(running, running.start(spec_with(graph, workshop, png, tmp_path / "library")))


def test_the_content_reaches_the_server_and_the_folder(
    done: JobView, workshop: Workshop, tmp_path: Path
) -> None:
    assert done.state is State.READY
    assert [order["graph"] for order in workshop.orders] == [GRAPH]
    kept = tmp_path / "library" / done.job / "setting-graph.json"
    assert kept.read_text() == GRAPH


def test_the_record_has_the_name_without_the_users_folders(done: JobView, tmp_path: Path) -> None:
    text = (tmp_path / "library" / done.job / "job.json").read_text()
    assert "my graphs" not in text
    record = json.loads(text)
    assert record["settings"]["graph"] == "Cup.JSON"
    (file,) = record["setting_files"]
    assert (file["setting"], file["name"], file["file"]) == (
        "graph", "Cup.JSON", "setting-graph.json",
    )  # fmt: skip


def put_back(library: Library, job: str) -> None:
    """Make a job one that was never submitted."""
    record = library.load(job)
    library.save(replace(record, state=State.QUEUED, ticket=None, submitted=None, files=(),
                         mesh=None))  # fmt: skip


def test_a_resume_needs_no_file(
    workshop: Workshop, graph: Path, png: bytes, tmp_path: Path, running: Session
) -> None:
    library = Library(tmp_path / "library")
    job = running.start(spec_with(graph, workshop, png, library.root, blender=None))
    end_of(running, job)
    graph.unlink()
    put_back(library, job)
    context = ResumeContext(library.root, {"workshop": {}}, {"workshop": workshop.url})
    end_of(running, running.start(context.spec_of(library.load(job))))
    assert [order["graph"] for order in workshop.orders] == [GRAPH, GRAPH]


@pytest.mark.parametrize("change", ["changed", "gone"])
def test_a_changed_file_is_not_ordered(
    change: str, workshop: Workshop, graph: Path, png: bytes, tmp_path: Path, running: Session
) -> None:
    spec = spec_with(graph, workshop, png, tmp_path / "library")
    workshop.status = 429
    job = running.start(spec)
    folder = tmp_path / "library" / job
    while not (folder / "setting-graph.json").exists() or not workshop.orders:
        running.wait(0.02)
    running.cancel(job)
    end_of(running, job)
    running.join(5.0)
    ordered = len(workshop.orders)
    kept = folder / "setting-graph.json"
    kept.write_text("{}") if change == "changed" else kept.unlink()
    put_back(Library(tmp_path / "library"), job)
    context = ResumeContext(tmp_path / "library", {"workshop": {}}, {"workshop": workshop.url})
    loaded = Library(tmp_path / "library").load(job)
    view = end_of(running, running.start(context.spec_of(loaded)))
    assert view.failure is not None
    assert "setting-graph.json is missing or was changed" in view.failure.message
    assert len(workshop.orders) == ordered


def test_the_same_content_is_the_same_order_by_any_name(
    workshop: Workshop, graph: Path, png: bytes, tmp_path: Path, running: Session
) -> None:
    library = Library(tmp_path / "library")
    other = graph.with_name("other.json")
    marks = []
    for file, text in ((graph, GRAPH), (other, GRAPH), (other, "{}")):
        file.write_text(text)
        job = running.start(spec_with(file, workshop, png, library.root))
        end_of(running, job)
        marks.append(order_of(library.load(job), library.folder(job)))
    assert marks[0] == marks[1] != marks[2]


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("graph.txt", 10, "does not end in .json"),
        ("graph.json", 501, "more than 0.0005 MB"),
        ("missing.json", None, "no such file"),
        ("folder.json", -1, "no such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    name: str, size: int | None, reason: str, workshop: Workshop, tmp_path: Path
) -> None:
    path = tmp_path / name
    if size == -1:
        path.mkdir()
    elif size is not None:
        path.write_bytes(b"x" * size)
    settings = providers.get_provider("workshop").settings(graph=str(path))
    with pytest.raises(InvalidSettings, match=reason) as caught:
        read_setting_files(settings)
    assert "Workflow" in caught.value.message


@pytest.mark.parametrize(
    "path",
    ["/home/anna/g.json", "//g.json", r"C:\Users\Anna\g.json", r"\\host\share\g.json", "g.json"],
)
def test_a_record_has_no_folders_of_any_system(path: str, workshop: Workshop) -> None:
    settings = providers.get_provider("workshop").settings(graph=path)
    spec = JobSpec("workshop", settings, (), Path(), files={"graph": b"{}"})
    fields, contents = record_settings(spec)
    assert fields["settings"]["graph"] == "g.json"
    assert contents == {"setting-graph.json": b"{}"}


def test_without_a_file_nothing_is_read(workshop: Workshop) -> None:
    assert read_setting_files(providers.get_provider("workshop").settings()) == {}
