from __future__ import annotations
from gui.artist import Artist
SCENE = "bpy.context.scene.image_to_mesh"
def test_look(artist, photograph):
    s = artist.session
    s.run("bpy.context.preferences.system.use_online_access = False")
    for width in (300, 220):
        s.run(f"{SCENE}.image = None")
        artist.drag_sidebar_to(width)
        artist.keep(f"look-first-{width}")
        artist.choose(photograph)
        import time; time.sleep(1.5)
        artist.keep(f"look-ready-{width}")
        artist.press_generate(); time.sleep(0.3)
        artist.point_at_view()
        s.screenshot(f"look-running-{width}", "UI")
        artist.wait_for_mesh()
        artist.keep(f"look-ended-{width}")
        s.run(f"{SCENE}.provider = 'tripo'")
        artist.keep(f"look-nokey-{width}")
        s.run(f"bpy.context.preferences.addons['bl_ext.user_default.image_to_mesh'].preferences.tripo_api_key='tsk_'+'a'*40")
        artist.keep(f"look-offline-{width}")
        s.run(f"bpy.context.preferences.addons['bl_ext.user_default.image_to_mesh'].preferences.tripo_api_key=''")
        s.run(f"{SCENE}.provider = 'local'")
    s.run("bpy.context.preferences.view.ui_scale = 2")
    artist.keep("look-scale2")
    s.screenshot("look-scale2-all")
    s.run("bpy.context.preferences.view.ui_scale = 1")
