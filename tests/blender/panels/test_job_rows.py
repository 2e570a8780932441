# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of running and ended jobs, drawn on a layout that records them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.job_views import plan_for, record, show
from blender.recording import draw

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def chosen(addon: ModuleType) -> Any:
    """The scene's choices, with a picture."""
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    return chosen


def test_a_running_job_has_a_bar_and_a_cancel_button(chosen: Any) -> None:
    show("running")
    seen = draw(width=220)
    (bar,) = seen.all("progress")
    assert (bar["factor"], bar["text"]) == (0.42, "Shaping 42%")
    assert seen.button("image_to_mesh.cancel")["button"].job == "20261120-cup-1a2b"
    assert seen.button("image_to_mesh.generate")["text"] == "Generate"
    assert "1 running" in seen.text()


def test_the_time_of_a_running_job_is_the_time_so_far(chosen: Any) -> None:
    show("running")
    assert "cup 1 min 15 s so far" in draw(width=280).text()
    show("running", job="another")
    assert "cup 1 min 15 s so far" in draw(width=340).text()
    (clock, _) = (row for row in draw(width=220).all("label") if row["text"] == "1:15")
    assert clock["icon"] == "TIME"


def test_a_short_time_has_minutes_and_hours(chosen: Any) -> None:
    clock = addon_module("panels.text_layout").clock
    assert [clock(seconds) for seconds in (2.6, 60, 3725)] == ["0:03", "1:00", "1:02:05"]


def test_the_header_of_jobs_has_an_icon_in_place_of_words(chosen: Any) -> None:
    show("running")
    (label,) = (row for row in draw(width=140).all("label") if row["text"] == "1")
    assert label["icon"] == "TIME"
    show("failed", failure=addon_module("jobs").Failure("failed", "It could not."))
    (label,) = (row for row in draw(width=140).all("label") if row["text"] == "1")
    assert label["icon"] == "ERROR"
    addon_module("jobs").session().dismiss("20261120-cup-1a2b")
    assert not [row for row in draw(width=140).all("label") if row["text"].isdigit()]


def test_a_job_without_progress_shows_its_phase(chosen: Any) -> None:
    show("running", fraction=None)
    (bar,) = draw().all("progress")
    assert (bar["factor"], bar["text"]) == (0.0, "Shaping")


def test_a_phase_too_long_for_its_bar_is_a_sentence_below(chosen: Any) -> None:
    phase = "A Service With a Long Name is busy, trying again in 7 s"
    show("submitting", fraction=None, phase=phase)
    seen = draw(width=220)
    assert [bar["text"] for bar in seen.all("progress")] == ["Waiting"]
    assert phase in seen.text()
    assert [bar["text"] for bar in draw(width=600).all("progress")] == [phase]


def test_a_cancelled_job_is_one_line_and_leaves_the_result_open(chosen: Any) -> None:
    show("ready", job="made", record=record())
    show("cancelled", job="stopped")
    folds = draw(width=400).buttons("image_to_mesh.show_details")
    assert [(fold["button"].job, fold["button"].show) for fold in folds] == [("made", False)]


def test_several_jobs_have_a_row_each(chosen: Any) -> None:
    for number in range(3):
        show("running", job=f"job-{number}")
    assert len(draw().all("progress")) == 3
    named = {button["button"].job for button in draw().buttons("image_to_mesh.cancel")}
    assert named == {"job-0", "job-1", "job-2"}


def test_every_running_job_can_be_cancelled(chosen: Any) -> None:
    running = [f"job-{number}" for number in range(15)]
    for job in running:
        show("running", job=job)
    shown = [button["button"].job for button in draw().buttons("image_to_mesh.cancel")]
    assert shown == ["job-14", "job-13", "job-12", "job-11"]
    unfolded = draw(unfolded=True)
    cancels = [button["button"].job for button in unfolded.buttons("image_to_mesh.cancel")]
    assert sorted(cancels) == sorted(running)
    assert "11 more running" in unfolded.text()


def test_a_result_shows_its_faces_and_cost(chosen: Any) -> None:
    show("ready", record=record(notes=("The texture is small.",)))
    seen = draw()
    assert all(part in seen.text() for part in ("cup", "40,012 faces, 3.2 s", "texture is small"))
    assert seen.button("image_to_mesh.import_result")["text"] == "Import Again"
    assert seen.button("image_to_mesh.dismiss")["button"].job == "20261120-cup-1a2b"
    assert seen.button("image_to_mesh.generate")["enabled"]


def test_the_faces_of_a_folded_job_have_their_unit_if_it_fits(chosen: Any) -> None:
    show("ready", job="older", record=record())
    show("ready", job="newer", record=record())
    assert "cup 40,012 faces" in draw(width=280).text()
    long = "IMG_20260812_side_by_side"
    show("ready", job="older", name=long, record=record())
    texts = [row["text"] for row in draw(width=280).all("label")]
    assert "40,012" in texts
    assert "40,012 faces" not in texts


def test_sentences_and_buttons_of_a_job_have_a_gap_between_them(chosen: Any) -> None:
    failure = addon_module("jobs").Failure("failed", "It could not.")
    show("failed", job="lost", failure=failure)
    show("ready", job="made", record=record())
    shown = draw(width=280).shown
    for operator in ("import_result", "copy_error"):
        (at,) = (n for n, row in enumerate(shown)
                 if row.get("operator") == f"image_to_mesh.{operator}")  # fmt: skip
        assert [row["kind"] for row in shown[at - 2 : at]] == ["label", "separator"]


def test_a_result_for_another_file_is_offered(chosen: Any) -> None:
    show("ready", record=record(), plan=plan_for("another"))
    seen = draw()
    assert "Generated for another file" in seen.text()
    assert seen.button("image_to_mesh.import_result")["text"] == "Import"


def test_an_error_says_what_to_do_next(chosen: Any) -> None:
    failure = addon_module("jobs").Failure(
        "bad_key", "The service refused the key that it was given.", "Make a new one.",
        "https://paid.test/keys",
    )  # fmt: skip
    show("failed", failure=failure)
    seen = draw()
    assert "The service refused the key that it was given. Make a new one." in seen.text()
    assert seen.button("wm.url_open")["button"].url == failure.link
    for operator in ("copy_error", "dismiss", "open_preferences"):
        assert seen.button(f"image_to_mesh.{operator}")
    assert not seen.buttons("image_to_mesh.import_result")


def test_keys_open_the_row_of_the_service_that_refused_its_key(chosen: Any) -> None:
    failure = addon_module("jobs").Failure("bad_key", "Scenario refused the key.")
    show("failed", failure=failure, provider="scenario")
    provider = draw().button("image_to_mesh.open_preferences")["button"].provider
    assert provider == "scenario"
    stored = addon_module("preferences").addon_preferences(bpy.context)
    stored.show_tripo_api_key, stored.show_scenario_api_key = True, False
    addon_module("operators.messages").unfold_service(bpy.context, provider)
    assert (stored.show_tripo_api_key, stored.show_scenario_api_key) == (False, True)
    addon_module("operators.messages").unfold_service(bpy.context, "local")
    assert stored.show_scenario_api_key, "it needs no key, so nothing changes"


def test_a_failed_import_can_be_retried(chosen: Any) -> None:
    failure = addon_module("jobs").Failure("import", "It did not come in.")
    show("ready", failure=failure, record=record())
    assert draw().button("image_to_mesh.import_result")["text"] == "Import"


def test_a_cancelled_job_is_reported(chosen: Any) -> None:
    show("cancelled")
    assert "cup Canceled" in draw(width=280).text()
    (line,) = (row for row in draw(width=220).all("label") if row["text"] == "cup")
    assert line["icon"] == "CANCEL"


def test_only_the_newest_endings_are_shown(chosen: Any) -> None:
    for number in range(6):
        show("ready", job=f"job-{number}", name=f"cup {number}", record=record())
    seen = draw(width=400)
    shown = [button["button"].job for button in seen.buttons("image_to_mesh.dismiss")]
    assert shown == ["job-5", "job-4", "job-3", "job-2", "job-1"]
    assert "1 older" in seen.text()
    assert len(draw(unfolded=True).buttons("image_to_mesh.dismiss")) == 6


def test_only_the_newest_ending_is_open(chosen: Any) -> None:
    failure = addon_module("jobs").Failure("failed", "It could not.")
    for number in range(4):
        is_odd = number % 2 == 1
        show("failed" if is_odd else "ready", job=f"job-{number}", name=f"cup {number}",
             record=None if is_odd else record(), failure=failure if is_odd else None)  # fmt: skip

    def open_jobs() -> list[str]:
        folds = draw(width=400).buttons("image_to_mesh.show_details")
        return [fold["button"].job for fold in folds if not fold["button"].show]

    assert open_jobs() == ["job-3", "job-2"]  # the newest failure, and the newest result
    bpy.ops.image_to_mesh.show_details(job="job-3", show=False)
    bpy.ops.image_to_mesh.show_details(job="job-1")
    assert open_jobs() == ["job-2", "job-1"]
    seen = draw(width=400)
    assert seen.text().count("It could not.") == 1
    assert [row["button"].job for row in seen.buttons("image_to_mesh.copy_error")] == ["job-1"]
    assert len(seen.buttons("image_to_mesh.import_result")) == 2  # a closed result has one, too
    addon_module("state.opened_jobs").forget()


def test_a_job_that_takes_longer_than_usual_says_so(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = addon_module("jobs").library_index(addon_module("preferences").library(bpy.context))
    monkeypatch.setattr(type(index), "usual_seconds", lambda _self, _provider: 6.0)
    show("running")
    assert "cup 1 min 15 s, longer than usual" in draw(width=600).text()


def test_a_failed_job_offers_its_settings_if_the_record_has_them(chosen: Any) -> None:
    jobs = addon_module("jobs")
    failure = jobs.Failure("no_credits", "There are no credits left.")
    picture = jobs.InputPicture("front", "cup", "front.png")
    for changes, is_offered in (
        ({"pictures": (picture,)}, True),
        ({"pictures": ()}, False),
        ({"pictures": (picture,), "provider": "gone"}, False),
    ):
        failed = record(state=jobs.State.FAILED, mesh=None, **changes)
        show("failed", failure=failure, record=failed)
        buttons = draw().buttons("image_to_mesh.reuse")
        assert [button["button"].job for button in buttons] == ["20261120-cup-1a2b"] * is_offered


def test_resuming_an_order_that_was_not_sent_is_named_as_such(chosen: Any) -> None:
    jobs = addon_module("jobs")
    failure = jobs.Failure("unreachable", "The service did not reply.")
    for state, provider, text in (
        ("queued", "tripo", "Submit..."),
        ("running", "tripo", "Resume"),
        ("queued", "local", "Resume"),
    ):
        kept = record(state=jobs.State(state), provider=provider, mesh=None)
        show("failed", failure=failure, record=kept)
        assert draw().button("image_to_mesh.resume")["text"] == text


def test_job_rows_fold_with_blenders_chevrons(chosen: Any) -> None:
    show("ready", job="older", record=record())
    show("ready", job="newer", record=record())
    folds = draw(width=400).buttons("image_to_mesh.show_details")
    assert [(fold["button"].job, fold["icon"]) for fold in folds] == [
        ("newer", "DOWNARROW_HLT"),
        ("older", "RIGHTARROW"),
    ]


def test_a_canceled_row_leaves_no_hole_and_says_so_in_a_narrow_sidebar(chosen: Any) -> None:
    show("cancelled")
    seen = draw(width=220)
    assert "Canceled" in seen.text()
    named = next(at for at, row in enumerate(seen.shown) if row.get("text") == "cup")
    assert seen.shown[named - 1]["kind"] != "label" or seen.shown[named - 1]["text"] == " "


def test_the_header_counts_all_jobs_to_resolve(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovery = addon_module("jobs").session().recovery
    found = type(recovery.found)(
        unsent=(record(id="a"),), waiting=(record(id="b"),), untrusted=(record(id="c"),)
    )
    monkeypatch.setattr(recovery, "found", found)
    assert "3 to resolve" in draw(width=400).text()
