# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about jobs: their records, threads, events, and worker. Nothing here imports bpy.

The names below are those that the Blender side uses. To keep Blender's startup short, a module is
loaded when one of its names is first used; code that is loaded with the add-on therefore calls
`jobs.session()` instead of importing the name. Everything else is imported from the module that
defines it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..providers._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .diagnostics import write_diagnostics as write_diagnostics
    from .disk.shared_settings import encode_settings as encode_settings
    from .disk.shared_settings import read_shared_settings as read_shared_settings
    from .disk.trash import move_to_trash as move_to_trash
    from .disk.viewable_images import picture_to_open as picture_to_open
    from .disk.viewable_images import thumbnail_files as thumbnail_files
    from .import_plan import ImportPlan as ImportPlan
    from .import_plan import Placement as Placement
    from .library.import_log import log_import as log_import
    from .library.index import entries_to_trash as entries_to_trash
    from .library.index import library_index as library_index
    from .library.index_entry import Entry as Entry
    from .library.labels import Label as Label
    from .library.labels import read_label as read_label
    from .library.labels import write_label as write_label
    from .library.recovery import ResumeContext as ResumeContext
    from .library.recovery import dismiss as dismiss
    from .library.recovery import is_unsent as is_unsent
    from .library.store import Library as Library
    from .library.store import library_folder as library_folder
    from .library.uncertain import describe_uncertain as describe_uncertain
    from .library.uncertain import give_up as give_up
    from .library.uncertain import is_uncertain as is_uncertain
    from .library.uncertain import was_submitted as was_submitted
    from .process.find_blender import blender_command as blender_command
    from .process.find_blender import module_command as module_command
    from .process.pool import BackgroundBlender as BackgroundBlender
    from .sessions import Session as Session
    from .sessions import session as session
    from .setting_files import read_setting_files as read_setting_files
    from .state_after_error import can_resume as can_resume
    from .steps.fingerprint import digest_of as digest_of
    from .steps.inputs import picture_from as picture_from
    from .steps.repeated_order import SOON as SOON
    from .tasks.account_queries import AccountAnswer as AccountAnswer
    from .tasks.account_queries import AccountQuery as AccountQuery
    from .tasks.edit_values import EditRequest as EditRequest
    from .tasks.edit_values import EditView as EditView
    from .tasks.edit_values import SceneMeshes as SceneMeshes
    from .tasks.edit_values import object_key as object_key
    from .tasks.found_servers import server_search as server_search
    from .tasks.image_checks import image_checks as image_checks
    from .tasks.image_download import DownloadedImage as DownloadedImage
    from .tasks.image_download import image_downloads as image_downloads
    from .tasks.image_reports import EditedImage as EditedImage
    from .tasks.image_reports import ImageReport as ImageReport
    from .tasks.image_reports import SubjectDetection as SubjectDetection
    from .tasks.image_reports import sent_form as sent_form
    from .tasks.live_previews import LiveArrays as LiveArrays
    from .tasks.live_previews import LiveRequest as LiveRequest
    from .tasks.live_previews import live_previews as live_previews
    from .tasks.mesh_edits import MeshEdit as MeshEdit
    from .tasks.mesh_edits import mesh_edits as mesh_edits
    from .tasks.server_settings import SettingsAnswer as SettingsAnswer
    from .tasks.server_settings import SettingsQuery as SettingsQuery
    from .tasks.server_settings import server_settings as server_settings
    from .tasks.subject_previews import PreviewRequest as PreviewRequest
    from .tasks.subject_previews import SubjectPreview as SubjectPreview
    from .tasks.subject_previews import subject_previews as subject_previews
    from .values import Collected as Collected
    from .values import Ended as Ended
    from .values import Event as Event
    from .values import Failure as Failure
    from .values import InputPicture as InputPicture
    from .values import JobSpec as JobSpec
    from .values import JobView as JobView
    from .values import PictureSource as PictureSource
    from .values import Progressed as Progressed
    from .values import Record as Record
    from .values import State as State
    from .weights.downloads import WeightsState as WeightsState
    from .weights.downloads import weights_downloads as weights_downloads
    from .weights.table import DEPTH as DEPTH
    from .weights.table import Weights as Weights
    from .weights.table import find_weights as find_weights

_HOMES = {
    "diagnostics": ("write_diagnostics",),
    "disk.shared_settings": ("encode_settings", "read_shared_settings"),
    "disk.trash": ("move_to_trash",),
    "disk.viewable_images": ("picture_to_open", "thumbnail_files"),
    "import_plan": ("ImportPlan", "Placement"),
    "library.import_log": ("log_import",),
    "library.index": ("entries_to_trash", "library_index"),
    "library.index_entry": ("Entry",),
    "library.labels": ("Label", "read_label", "write_label"),
    "library.recovery": ("ResumeContext", "dismiss", "is_unsent"),
    "library.store": ("Library", "library_folder"),
    "library.uncertain": ("describe_uncertain", "give_up", "is_uncertain", "was_submitted"),
    "process.find_blender": ("blender_command", "module_command"),
    "process.pool": ("BackgroundBlender",),
    "sessions": ("Session", "session"),
    "setting_files": ("read_setting_files",),
    "state_after_error": ("can_resume",),
    "steps.fingerprint": ("digest_of",),
    "steps.inputs": ("picture_from",),
    "steps.repeated_order": ("SOON",),
    "tasks.account_queries": ("AccountAnswer", "AccountQuery"),
    "tasks.edit_values": ("EditRequest", "EditView", "SceneMeshes", "object_key"),
    "tasks.found_servers": ("server_search",),
    "tasks.image_checks": ("image_checks",),
    "tasks.image_download": ("DownloadedImage", "image_downloads"),
    "tasks.image_reports": ("EditedImage", "ImageReport", "SubjectDetection", "sent_form"),
    "tasks.live_previews": ("LiveArrays", "LiveRequest", "live_previews"),
    "tasks.mesh_edits": ("MeshEdit", "mesh_edits"),
    "tasks.server_settings": ("SettingsAnswer", "SettingsQuery", "server_settings"),
    "tasks.subject_previews": ("PreviewRequest", "SubjectPreview", "subject_previews"),
    "values": (
        "Collected",
        "Ended",
        "Event",
        "Failure",
        "InputPicture",
        "JobSpec",
        "JobView",
        "PictureSource",
        "Progressed",
        "Record",
        "State",
    ),
    "weights.downloads": ("WeightsState", "weights_downloads"),
    "weights.table": ("DEPTH", "Weights", "find_weights"),
}

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
