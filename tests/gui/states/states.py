# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the panels, each as code that runs inside of Blender after `reset()`.

IMAGE stands for the path of a photograph.
"""

from __future__ import annotations

KEY = "stored_keys().tripo_api_key = 'tsk_' + 40 * 'a'\nanswer('tripo', 1250.0, 'Credits')"
TRIPO = f"choose('IMAGE', 'tripo')\n{KEY}"
LOCAL = "choose('IMAGE')"
NO_CREDITS = (
    "('no_credits', 'You don\\'t have enough credit to create this task (request ID 3fa2b81c).', "
    "'Add credits to your Tripo account.', 'https://platform.tripo3d.ai/billing')"
)
REFUSED = (
    "('bad_key', 'Authentication failed (request ID 3fa2b81c).', 'Check the key: it must start "
    "with tsk_, and keys from tripo3d.com do not work at tripo3d.ai.', "
    "'https://platform.tripo3d.ai/api-keys')"
)
BUSY = "say('{provider} is busy, trying again in {seconds} s', provider='Tripo', seconds=7)"
UNSURE = (
    "state=part('jobs').State.UNCERTAIN, provider='tripo', mesh=None, faces=None, "
    "submitted='2026-11-20 10:00', request_hash='3fa2b81c9d0e77'"
)
SCENARIO = (
    "stored_keys().scenario_api_key = stored_keys().scenario_api_secret = 40 * 'a'\n"
    "answer('scenario', 1250.0, 'CU')\nanswer('scenario', 40.0, 'CU', quote=True)"
)
VIEWS = (
    "for view in ('left', 'back'):\n"
    "    setattr(scene_choices(), 'view_' + view, bpy.data.images.load('IMAGE'))"
)
FIRST = "list(part('state.results.listing').listing(bpy.context).by_job)[0]"
SELECT = f"bpy.context.window_manager.image_to_mesh.selected = {FIRST}"
RESULT = "next(obj.name for obj in bpy.data.objects if obj.name.startswith('dahlia'))"

STATES = {
    "empty": "",
    "image": LOCAL,
    "no-key": "choose('IMAGE', 'tripo')",
    "bad-key": "choose('IMAGE', 'tripo')\nstored_keys().tripo_api_key = 'tsk_ä'",
    "key-refused": f"{TRIPO}\nanswer('tripo', None, '', {REFUSED})",
    "offline": f"{TRIPO}\nstored_keys().tripo_base_url = 'https://openapi.tripo3d.ai/v3'",
    "balance": TRIPO,
    "running-0": f"{LOCAL}\nshow('queued', fraction=None, phase='Waiting')",
    "running-50": f"{LOCAL}\nshow('running')",
    "running-100": f"{LOCAL}\nshow('preparing', fraction=1.0, phase='Preparing')",
    "running-15": f"{TRIPO}\nfor _ in range(15): show('running')\n"
    "part('jobs').session().queued = 12",
    "busy": f"{TRIPO}\nshow('submitting', provider='tripo', fraction=None, phase={BUSY})",
    "failed": f"{TRIPO}\nshow('failed', provider='tripo', failure={NO_CREDITS})",
    "failed-key": f"{TRIPO}\nshow('failed', provider='tripo', failure={REFUSED})",
    "uncertain": f"{TRIPO}\nrecover(uncertain=dict({UNSURE}))",
    "recovered": f"{LOCAL}\nrecover(arrived=dict(), unsent=dict(provider='tripo'), "
    "waiting=dict(provider='tripo'), untrusted=dict(), theirs=dict())",
    "done": f"{LOCAL}\nactivate({RESULT})\nshow('ready', record=dict())",
    "done-5": f"{LOCAL}\nfor number in range(7): show('ready', record=dict(faces=40012 + number))\n"
    f"show('failed', failure={NO_CREDITS})\nshow('cancelled')",
    "updating": f"{LOCAL}\nactivate({RESULT})\nshow('running', job='update')\n"
    "part('state.updates.job_targets').note('update', bpy.context.object)",
    "update-paid": f"{TRIPO}\nactivate({RESULT})\n"
    "bpy.context.object['image_to_mesh_provider'] = 'tripo'",
    "price": f"choose('IMAGE', 'scenario')\n{SCENARIO}",
    "warned": "choose_disc()",
    "unreadable": "choose_text()",
    "settings": f"{LOCAL}\nunfold('settings')",
    "settings-changed": f"{LOCAL}\nscene_choices().local.face_count = 2000\nunfold('settings')",
    "settings-tripo": f"{TRIPO}\nunfold('settings')",
    "settings-scenario": "choose('IMAGE', 'scenario')\nunfold('settings')",
    "settings-triposr": "choose('IMAGE', 'aiml_triposr')\nunfold('settings')",
    "settings-server": "choose('IMAGE', 'workshop')\nunfold('settings')\n"
    "bpy.ops.image_to_mesh.get_settings()",
    "placement": f"{LOCAL}\nunfold('placement', 'cleanup')",
    "views": f"{TRIPO}\nunfold('views')",
    "views-3": f"{TRIPO}\n{VIEWS}\nunfold('views')",
    "views-asked": f"{TRIPO}\n{VIEWS}\nscene_choices().image = bpy.data.images.load('IMAGE')\n"
    "unfold('views')",
    "results": f"{LOCAL}\nunfold('results')",
    "results-selected": f"unfold('results')\n{SELECT}",
    "results-none": "unfold('results')\nbpy.context.window_manager.image_to_mesh.text = 'zebra'",
    "mesh-tools": f"activate({RESULT})\nunfold('care')",
    "mesh-report": f"activate({RESULT})\nput_report()\nunfold('care')",
}
POPUPS = {
    "popup-key": ("choose('IMAGE', 'tripo')", "bpy.ops.wm.call_panel(name='IMAGE_TO_MESH_PT_key')"),
    "popup-key-balance": (TRIPO, "bpy.ops.wm.call_panel(name='IMAGE_TO_MESH_PT_key')"),
    "popup-servers": (
        "find_servers()\nchoose('IMAGE', 'hunyuan3d')",
        "bpy.ops.wm.call_panel(name='IMAGE_TO_MESH_PT_key')",
    ),
    "popup-images": ("", "bpy.ops.wm.call_menu(name='IMAGE_TO_MESH_MT_pictures')"),
    "popup-presets": (LOCAL, "bpy.ops.wm.call_menu(name='IMAGE_TO_MESH_MT_presets')"),
    "popup-object": (
        f"{TRIPO}\nactivate({RESULT})",
        "bpy.ops.wm.call_menu(name='IMAGE_TO_MESH_MT_object')",
    ),
    "popup-tools": (
        f"activate({RESULT})",
        "bpy.ops.wm.call_menu(name='IMAGE_TO_MESH_MT_mesh_tools')",
    ),
    "popup-versions": (
        f"activate({RESULT})",
        "bpy.ops.wm.call_menu(name='IMAGE_TO_MESH_MT_versions')",
    ),
}
PREFERENCES = {
    "preferences": "",
    "preferences-offline": "stored_keys().tripo_base_url = 'https://openapi.tripo3d.ai/v3'",
}
