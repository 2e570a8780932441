# SPDX-License-Identifier: GPL-3.0-or-later
"""Python source read as a tree, without CPython's own stumbling."""

from __future__ import annotations

import ast
import gc


def parsed(text: str) -> ast.Module:
    """Parse a file's text.

    CPython 3.11 counts the depth of the tree that it builds in one place for the whole process. A
    collection in the middle that parses something, too, ends in a SystemError (gh-106905).
    """
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        gc.enable()
