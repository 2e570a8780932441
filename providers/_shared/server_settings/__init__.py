# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that only the server knows: declared at run time, then treated like all others.

What a server says becomes `Setting` values, and these become a subclass of the provider's settings.
So the command line, the checks, and the request treat both alike. Imported only once
settings of a server are there, or asked for.
"""

from __future__ import annotations

from .as_json import decode_setting as decode_setting
from .as_json import encode_setting as encode_setting
from .declare import SettingList as SettingList
from .declare import as_kind as as_kind
from .declare import is_usable_name as is_usable_name
from .declare import server_setting as server_setting
from .declare import usable_rows as usable_rows
from .model import settings_of_record as settings_of_record
from .model import settings_with as settings_with
from .values import fit_number as fit_number
from .values import gone_text as gone_text
from .values import problem_of as problem_of
