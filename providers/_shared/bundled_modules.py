# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundled libraries, and clear errors if another add-on has loaded its own copy of one.

All add-ons share one Python interpreter: the add-on that imports `typing_extensions` first decides
which version all others get. If importing a library fails for that reason, the error names
the file and the add-on that it belongs to.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import PurePath
from types import ModuleType

from .errors import WrongModule
from .messages import Message

LEAST = {"annotated_types": (0, 6), "filelock": (3, 20), "pydantic": (2, 7), "requests": (2, 31),
         "urllib3": (2, 0)}  # fmt: skip
"""The oldest versions with the features that this add-on uses."""
SHIPPED = ("typing_extensions", "annotated_types", "typing_inspection", "pydantic_core", "pydantic",
           "idna", "certifi", "charset_normalizer", "urllib3", "requests", "filelock",
           "send2trash")  # fmt: skip
"""The bundled libraries, each after its dependencies."""
NEEDED = ("pydantic", "filelock")
"""The libraries that every job imports."""
ONLINE = ("requests", "urllib3")
"""The libraries that jobs of online services import as well."""
_PLACE = (
    r"addons(?:_contrib)?[/\\]([^/\\]+)"
    r"|extensions[/\\][^./\\][^/\\]*[/\\]([^./\\][^/\\]*)"
)


@contextlib.contextmanager
def bundled_imports(*names: str) -> Iterator[None]:
    """Run a block that imports bundled libraries, then check the versions of those in `names`.

    Raises WrongModule for a library that is missing or too old, or that fails because another
    add-on has loaded its own copy of it.
    """
    try:
        yield
        for name in names:
            _check_version(name)
    except Exception as error:  # an outdated library can fail with any exception
        if not isinstance(error, ImportError) and not _elsewhere():
            raise
        raise wrong_module(error) from error  # guard: conflicting-modules


def check_modules(*, online: bool) -> None:
    """Import the libraries that a job needs, to find problems before it sends anything.

    `online`: the job calls a service. Raises WrongModule for a library that cannot be used.
    """
    for name in (*NEEDED, *(ONLINE if online else ())):
        with bundled_imports(name):
            import_module(name)


def wrong_module(error: BaseException) -> WrongModule:
    """Return the error that names the missing or incompatible library.

    For an incompatible one, it also names the file and, if known, the add-on that it belongs to.
    """
    name = _culprit(error)
    module = sys.modules.get(name)
    file, why = _file(module, name), _reason(error)
    if not file and (module is None or isinstance(error, ModuleNotFoundError)):
        return WrongModule(
            Message("The Python module {module} is missing: {reason}.", module=name, reason=why),
            "Reinstall Image to Mesh.",
        )
    found = re.search(_PLACE, file)
    if found is None:
        return WrongModule(
            Message("An incompatible {module} was loaded from {file}: {reason}.", module=name,
                    file=file or Message.of("an unknown file"), reason=why),
            "Update or remove it (see PYTHONPATH and Blender's scripts/modules), then restart "
            "Blender.",
        )  # fmt: skip
    owner = found[1] or found[2]
    return WrongModule(
        Message("The add-on “{owner}” loaded an incompatible {module} from {file}: {reason}.",
                module=name, owner=owner, file=file, reason=why),
        Message("Update or disable “{owner}”, then restart Blender.", owner=owner),
    )  # fmt: skip


def _check_version(name: str) -> None:
    module = sys.modules.get(name)
    text = str(getattr(module, "__version__", None) or getattr(module, "VERSION", ""))
    version = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    least = LEAST.get(name, ())
    if module is None or not version or version >= least:
        return
    wanted = ".".join(map(str, least))
    raise ImportError(
        Message(
            "it is version {found}, but {wanted} or newer is required",
            found=text[:20],
            wanted=wanted,
        ),
        name=name,
    )


def _culprit(error: BaseException) -> str:
    """Return the library that caused an error, or "?" if none is found.

    These are tried in order:
    1. a module that the error or one of its causes names, preferably a bundled library;
    2. a library from an unusual folder that the error's text mentions, or whose code raised it;
    3. any library from an unusual folder. That proves little, since Blender includes some.
    """
    named: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        named += filter(None, [_named_in(cause)])
        cause = cause.__cause__ or cause.__context__
    ours = [name for name in named if name in SHIPPED]
    if named:
        return (ours or named)[-1]
    odd = _elsewhere()
    import traceback

    words = str(error).replace("-", "_")
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [str(frame.f_globals.get("__name__", "")) for frame in reversed(frames)]
    raised_in = [name.partition(".")[0] for name in modules]
    mentioned = (name for name in reversed(SHIPPED) if name in words)
    return next((name for name in (*mentioned, *raised_in, *odd) if name in odd), "?")


def _named_in(error: BaseException) -> str:
    """Return the top-level module that an exception names by its attributes, or an empty string."""
    if isinstance(error, ImportError):
        return (error.name or "").partition(".")[0]
    of = getattr(error, "obj", None) if isinstance(error, AttributeError) else None
    return of.__name__.partition(".")[0] if isinstance(of, ModuleType) else ""


def _elsewhere() -> Sequence[str]:
    """Return the bundled libraries that are not found, or not in the same folder as most others.

    Return an empty list if no library is found at all.
    """
    files = {name: _file(sys.modules.get(name), name) for name in SHIPPED}
    homes = {name: _home(file) for name, file in files.items()}
    usual = Counter(home for home in homes.values() if home).most_common(1)
    return [name for name, home in homes.items() if usual and home != usual[0][0]]


def _file(module: ModuleType | None, name: str) -> str:
    """Return the file from which a library is, or would be, loaded; empty if unknown."""
    if module is not None:
        return str(getattr(module, "__file__", "") or "")
    with contextlib.suppress(
        Exception
    ):  # finders that others put on sys.meta_path can raise anything
        found = PathFinder.find_spec(name)
        return str(found.origin or "") if found else ""
    return ""


def _home(file: str) -> str:
    path = PurePath(file)
    return str(path.parent.parent if path.stem == "__init__" else path.parent) if file else ""


def _reason(error: BaseException) -> str:
    """Return the first sentence of an error, or the name of its class if it has no text.

    File names in parentheses are left out, because the message names the file anyway.
    """
    words = re.sub(r"\s*\([^()]*[/\\][^()]*\)", "", str(error)).split(". ")[0].strip(" .")
    return words[:300] or type(error).__name__
