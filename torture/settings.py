"""The settings of the desk that is tortured: those of the product, in the mode that is asked for.

Only `torture` names this module, so none of its variables can ever reach a real installation.
TORTURE_JOURNAL and TORTURE_SYNCHRONOUS choose SQLite's modes; TORTURE_MUTANT plants a fault that
the torture must find (torture/mutants.py).
"""

import os
import re

from helpdesk.settings import *  # noqa: F403
from helpdesk.settings import DATABASES, MIDDLEWARE

_options = DATABASES["default"]["OPTIONS"]
for _pragma, _name in (("journal_mode", "JOURNAL"), ("synchronous", "SYNCHRONOUS")):
    if _mode := os.environ.get(f"TORTURE_{_name}"):
        _changed, _times = re.subn(
            rf"{_pragma}=\w+", f"{_pragma}={_mode}", _options["init_command"]
        )
        assert _times == 1, f"The settings say {_pragma} {_times} times."
        DATABASES["default"]["OPTIONS"] = _options = _options | {"init_command": _changed}

match os.environ.get("TORTURE_MUTANT"):
    case "early":
        MIDDLEWARE = ["torture.mutants.AcknowledgedEarly", *MIDDLEWARE]
    case "together":
        MIDDLEWARE = ["torture.mutants.FollowersToldEarly", *MIDDLEWARE]
    case "asynchronous":
        _words = f"{_options['options']} -c synchronous_commit=off"
        DATABASES["default"]["OPTIONS"] = _options | {"options": _words}
