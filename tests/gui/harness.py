# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender with a window under Xvfb, in a profile of its own.

`run` runs Python in Blender's main thread, `wait_for` repeats it until the value is true; `move`,
`click`, `drag`, `scroll`, `press` and `type_text` are a real mouse and keyboard, and
`click_button` finds a button of the sidebar first, by what Blender says is under the pointer.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import places
from gui.harness_shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    import blenders

SCREENSHOTS = places.BUILD / "screenshots" / os.environ.get("SANDBOX_SUITE", "trixie")
WIDTH, HEIGHT = 1600, 1000
_DPI = "-dpi 96"
"""The resolution at which Blender's interface scale is 1.0; Xvfb's default differs by release."""
_DRIVER = Path(__file__).with_name("harness_inside.py")
_FOLDERS = (places.BUILD, places.ROOT / "tests")
_START_SECONDS = 60.0
# A row of Blender's interface is 20 pixels high: no row is missed, few are tried twice.
_ROW = 13
_MOST_SLOWNESS = 3.0
_ATTEMPTS = 4
"""How often a button is searched for and clicked: panels slide, and a picture's report comes in."""
_CALL_SECONDS = 1.0
_FROM_RIGHT = 48
"""Pixels from the sidebar's right edge to an icon at the end of a row, 20 of them for its tabs."""
# Blender handles the pointer's movement in its next event loop.
_EVENT_SECONDS = 0.03
_DRAGGED = (0.02, 0.04, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 0.9, 1.0)


class NoAnswer(AssertionError):
    """Blender did not answer in time, or a condition did not become true."""


class RaisedInside(AssertionError):
    """Code that a test ran in Blender raised; the message is its traceback."""


def run_once(
    place: blenders.Place,
    profile: Path,
    *arguments: str,
    seconds: float = 120,
    niceness: int = 0,
) -> str:
    """Run Blender without a window in a profile and return what it printed."""
    command = place.command("blender", *arguments, env=_environment(profile), folders=_FOLDERS)
    done = subprocess.run(
        ["nice", "-n", str(niceness), *command],
        cwd=places.ROOT, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 0, f"blender {shlex.join(arguments)}: {done.returncode}\n{output}"
    return output


def _environment(profile: Path) -> dict[str, str]:
    """Return an environment with a user's folders in the profile, and without a graphics card."""
    return {
        "BLENDER_USER_RESOURCES": str(profile),
        "HOME": str(profile),
        "IMAGE_TO_MESH_LIBRARY": str(profile / "library"),
        "LIBGL_ALWAYS_SOFTWARE": "1",
        # Kept between starts: compiling shaders without a graphics card takes seconds.
        "MESA_SHADER_CACHE_DIR": str(places.BUILD / ".shaders"),
        "XDG_RUNTIME_DIR": str(profile),
    }


def slowness() -> float:
    """Return the factor by which other load slows down jobs, which run at low priority."""
    load = float(Path("/proc/loadavg").read_text("utf-8").split()[0])
    return min(max(1.0, load / (os.cpu_count() or 1)), _MOST_SLOWNESS)


class Session:
    """One Blender with a window, from start to end."""

    def __init__(self, place: blenders.Place, profile: Path, **environment: str) -> None:
        self.profile = profile
        self.log = profile / "blender.log"
        self.clicks = 0
        self.display = ""
        self._questions = 0
        self._unread = b""
        self.found: dict[str, tuple[int, int]] = {}
        self._line: socket.socket | None = None
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(_START_SECONDS)
            env = {**_environment(profile), "HARNESS_PORT": str(listener.getsockname()[1])}
            self._shell = Shell(place, {**env, **environment}, _FOLDERS)
            try:
                self._start(listener)
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, listener: socket.socket) -> None:
        self.display = f":{self._start_display()}"
        self._shell.run("export", f"DISPLAY={self.display}")
        geometry = ("--window-geometry", "0", "0", str(WIDTH), str(HEIGHT))
        self._shell.start("blender", *geometry, "--python", str(_DRIVER), log=self.log)
        try:
            self._line, _ = listener.accept()
        except TimeoutError:
            raise NoAnswer(f"Blender did not start\n{self.output()}") from None
        # The first answer comes before the first frame, the second after it.
        for _ in range(2):
            self.run("view3d().tag_redraw()", seconds=_START_SECONDS)

    def _start_display(self) -> str:
        """Start a display of the first free number, and return the number once it is ready."""
        written, log = self.profile / "display", self.profile / "xvfb.log"
        screen = f"{WIDTH}x{HEIGHT}x24"
        server = f"exec Xvfb -displayfd 5 -screen 0 {screen} {_DPI} +extension GLX -nolisten tcp"
        self._shell.start("sh", "-c", f"{server} 5>{shlex.quote(str(written))}", log=log)
        deadline = time.monotonic() + _START_SECONDS
        while not (written.exists() and written.read_text().endswith("\n")):
            if time.monotonic() > deadline:
                raise NoAnswer(f"Xvfb did not start\n{log.read_text()}")
            time.sleep(0.02)
        return written.read_text().strip()

    def close(self) -> None:
        """End Blender and all programs beside it, in any state."""
        if self._line is not None:
            self._line.close()
        self._shell.close()

    def output(self) -> str:
        """Return what Blender has printed so far."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    # Python inside

    def run(self, code: str, seconds: float = 10) -> Any:
        """Run Python in Blender's main thread; return the value of a last expression.

        `seconds` are those of a quiet machine; a busy one has more.
        """
        assert self._line is not None
        self._questions += 1
        question = {"id": self._questions, "code": code}
        self._line.sendall(json.dumps(question).encode() + b"\n")
        answer = self._receive(code, time.monotonic() + seconds * slowness())
        if answer["error"]:
            raise RaisedInside(f"{code}\n{answer['error']}")
        return answer["value"]

    def _receive(self, code: str, deadline: float) -> Any:
        assert self._line is not None
        while True:
            while b"\n" not in self._unread:
                self._line.settimeout(max(0.001, deadline - time.monotonic()))
                try:
                    received = self._line.recv(1 << 16)
                except TimeoutError:
                    raise NoAnswer(f"no answer in time to\n{code}\n{self.output()}") from None
                if not received:
                    raise NoAnswer(f"Blender is gone\n{self.output()}")
                self._unread += received
            line, self._unread = self._unread.split(b"\n", 1)
            answer = json.loads(line)
            # Late answers to earlier questions are dropped.
            if answer["id"] == self._questions:
                return answer

    def wait_for(self, code: str, seconds: float = 20, every: float = 0.05) -> Any:
        """Evaluate the code repeatedly until its value is true; return the value.

        `seconds` are those of a quiet machine; a busy one has more.
        """
        seconds *= slowness()
        deadline = time.monotonic() + seconds
        while not (value := self.run(code, max(0.1, deadline - time.monotonic()))):
            if time.monotonic() > deadline:
                self.screenshot("timed-out")
                raise NoAnswer(f"did not come within {seconds:.0f} s: {code}\n{self.output()}")
            time.sleep(every)
        return value

    # What the user sees and does

    def screenshot(self, name: str, region: str = "") -> Path:
        """Save the screen or a region as build/screenshots/<suite>/<name>.png; return the file."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        file = SCREENSHOTS / f"{name}.png"
        cut: tuple[str, ...] = ()
        if region:
            place = self.run(f"place_of({region!r})")
            cut = ("-crop", "{width}x{height}+{left}+{top}".format(**place), "+repage")
        self._shell.run("import", "-window", "root", *cut, str(file))
        return file

    def move(self, x: int, y: int) -> None:
        """Move the pointer to a pixel of the screen, counted from the upper left."""
        self._shell.run("xdotool", "mousemove", str(x), str(y))
        time.sleep(_EVENT_SECONDS)

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Press and release a button of the mouse at a pixel."""
        self.clicks += 1
        self.move(x, y)
        self._shell.run(
            "xdotool", "mousedown", str(button), "sleep", "0.05", "mouseup", str(button)
        )
        time.sleep(_EVENT_SECONDS)

    def double_click(self, x: int, y: int) -> None:
        """Double-click at a pixel, which counts as one click of the user."""
        self.clicks += 1
        self.move_seen((x, y))
        self._shell.run("xdotool", "click", "--delay", "60", "--repeat", "2", "1")
        time.sleep(_EVENT_SECONDS)

    def drag(
        self,
        start: tuple[int, int],
        end: tuple[int, int],
        rest: float = 0.0,
        held: Callable[[], object] | None = None,
    ) -> None:
        """Rest at a pixel for `rest` seconds, press, move to another and release there.

        `held` is called before the release.
        """
        self.move_seen(start)
        time.sleep(rest)
        self._shell.run("xdotool", "mousedown", "1")
        # Slowly at first: a jump would lose a thin border.
        for fraction in _DRAGGED:
            x, y = (round(a + (b - a) * fraction) for a, b in zip(start, end, strict=True))
            self.move_seen((x, y))
        if held is not None:
            held()
        self._shell.run("xdotool", "mouseup", "1")
        time.sleep(_EVENT_SECONDS)

    def move_seen(self, spot: tuple[int, int]) -> None:
        """Move, and wait until Blender has handled it: its event loop merges pending moves."""
        self.move(*spot)
        for _ in range(2):
            self.run("None")

    def scroll(self, x: int, y: int, clicks: int) -> None:
        """Scroll the wheel at a pixel; down is positive."""
        self.move(x, y)
        button = "5" if clicks > 0 else "4"
        self._shell.run("xdotool", "click", "--delay", "30", "--repeat", str(abs(clicks)), button)

    def scroll_with(self, key: str, x: int, y: int, clicks: int) -> None:
        """Scroll with a key held, which chooses the next or previous item of a menu."""
        self._shell.run("xdotool", "keydown", key)
        self.scroll(x, y, clicks)
        self._shell.run("xdotool", "keyup", key)
        time.sleep(_EVENT_SECONDS)

    def press(self, keys: str) -> None:
        """Press a key or keys together, as xdotool names them: `ctrl+z`, `Escape`."""
        self._shell.run("xdotool", "key", keys)
        time.sleep(_EVENT_SECONDS)

    def type_text(self, text: str) -> None:
        """Type as on a keyboard."""
        self._shell.run("xdotool", "type", "--delay", "20", text)
        time.sleep(_EVENT_SECONDS)

    def processes(self) -> list[str]:
        """Return the command lines of all processes where Blender runs."""
        listing = "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file; echo; done 2>/dev/null"
        lines = self._shell.run("sh", "-c", listing).splitlines()
        return [line.strip() for line in lines if line.strip()]

    # The sidebar

    def open_tab(self, name: str = "Image to Mesh") -> None:
        """Show the sidebar with this tab in front."""
        self.run("open_sidebar()")
        self.wait_for(f"choose_tab({name!r})")
        time.sleep(0.2)

    def under_pointer(self, region: str = "UI") -> str:
        """Return what is under the pointer: `bpy.ops.…(…)`, a property's data path, or nothing."""
        return str(self.run(f"under_pointer({region!r})"))

    def find(self, name: str, region: str = "UI") -> tuple[int, int]:
        """Return the pixel of an operator's button (`image_to_mesh.generate`) or of a property."""
        for _ in range(_ATTEMPTS):
            for spot in self._spots(name, region):
                self.move_seen(spot)
                found = self.under_pointer(region)
                if found.startswith(f"bpy.ops.{name}(") or found.endswith(name):
                    self.found[name] = spot
                    return spot
        self.screenshot("not-found")
        raise NoAnswer(f"no button of {name} in the region {region}")

    def _spots(self, name: str, region: str) -> list[tuple[int, int]]:
        """Return the pixels where a button may be, the likely ones first."""
        place = self.run(f"place_of({region!r})")
        across = [round(place["width"] * fraction) for fraction in (0.5, 0.8, 0.25)]
        columns = [place["left"] + x for x in (*across, place["width"] - _FROM_RIGHT)]
        rows = range(place["top"] + 6, place["top"] + place["height"], _ROW)
        # Its last place is tried first, then the end of that row: most buttons have not moved.
        before = self.found.get(name)
        last = [before, (columns[-1], before[1])] if before else []
        return [*last, *((x, y) for x in columns for y in rows)]

    def click_button(self, name: str, region: str = "UI") -> float:
        """Find a button, click it with the mouse, and return the time of the click.

        Where Blender did not call the add-on's operator, because the button moved away just
        before, it is found and clicked again. A disabled button is clicked once.
        """
        for _ in range(_ATTEMPTS):
            spot = self.find(name, region)
            calls = self.run(f"calls_of({name!r})")
            moment = time.monotonic()
            self.click(*spot)
            if calls is None or self._was_called(name, calls):
                return moment
            self.clicks -= 1
        self.screenshot("not-called")
        raise NoAnswer(f"a click on the button of {name} does not call it\n{self.output()}")

    def _was_called(self, name: str, before: int) -> bool:
        deadline = time.monotonic() + _CALL_SECONDS * slowness()
        while time.monotonic() < deadline:
            if self.run(f"calls_of({name!r})") > before:
                return True
            time.sleep(_EVENT_SECONDS)
        return not self.run(f"is_enabled({name!r})")
