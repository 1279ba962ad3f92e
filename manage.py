#!/usr/bin/env python3
"""Django's command line for this project: `manage.py help` lists the commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError, OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refused:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(refused))
    except (DatabaseError, InterfaceError) as fault:
        # Other kinds of these are faults of ours, to be seen whole.
        away = type(fault) in (DatabaseError, InterfaceError, OperationalError)
        if "--traceback" in sys.argv or not away:
            raise
        said = str(fault).partition("\n")[0]
        sys.exit(f"The database cannot be used: {said}. manage.py doctor says what mends it.")
