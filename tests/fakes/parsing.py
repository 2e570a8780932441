# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing of Python source that works around a bug of CPython 3.11."""

from __future__ import annotations

import ast
import gc


def parse(text: str) -> ast.Module:
    """Parse a file's text.

    CPython 3.11 counts the depth of the tree that it builds in one place for the whole process. A
    garbage collection in between that parses something, too, ends in a SystemError (gh-106905).
    """
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        gc.enable()
