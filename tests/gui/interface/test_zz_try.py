from __future__ import annotations
import time
from pathlib import Path
from gui.artist import Artist
from gui import pictures
HERE = Path("/work/wt/a-ghost/tests/gui/inside_placeholders.py")
def test_try(blender, photograph):
    artist = Artist(blender)
    s = blender
    s.run(HERE.read_text())
    s.run("bpy.data.objects.remove(bpy.data.objects['Cube']); bpy.ops.object.select_all(action='DESELECT') if False else None")
    artist.choose(photograph)
    time.sleep(1)
    s.screenshot("ph-empty")
    for f in (0.0, 0.5, 1.0):
        s.run(f"stand('dahlia', {f}, size=2.0)")
        s.wait_for(f"standing() and standing()[0]['pictured'] and standing()[0]['text'] == '{f:.0%}'")
        time.sleep(1)
        s.screenshot(f"ph-{f:.0%}")
    print(s.run("standing()"))
    for n in range(9):
        s.run(f"stand('dahlia{n}', {n/10}, size=1.0)")
    time.sleep(2)
    print(s.run("standing()"))
    s.run("view3d().spaces.active.region_3d.view_distance = 25")
    time.sleep(1)
    s.screenshot("ph-ten")
    print(s.run("time_handlers(30)", seconds=60))
    print(s.run("time_handlers(30)", seconds=60))
    print(s.run("handlers()"))
    for n in range(9):
        s.run(f"end('dahlia{n}')")
    s.run("end('dahlia')")
    s.wait_for("handlers() == 0")
    time.sleep(0.5)
    s.screenshot("ph-gone")
    print(s.output()[-1500:])
