#!/usr/bin/env python
"""Django's command line; embedded settings unless DJANGO_SETTINGS_MODULE says otherwise.

In embedded mode the database server runs while the command does, unless it runs already.
"""

import os
import sys

# Commands that never ask the database, and so need not wait for it.
WITHOUT_DATABASE = {"help", "version", "--version", "--help", "check", "collectstatic", "compilemessages"}
WITHOUT_DATABASE |= {"makemessages", "spectacular", "prepare_models", "diffsettings"}
WITHOUT_DATABASE |= {"evaluate shards", "evaluate fusion", "evaluate compare", "evaluate pairs"}
WITHOUT_DATABASE |= {"train_text_student", "ship_text_student"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings.embedded")
    from django.core.management import execute_from_command_line

    from kb.startup import postgres_running

    asked = " ".join(sys.argv[1:3])
    if len(sys.argv) < 2 or {sys.argv[1], asked} & WITHOUT_DATABASE:
        execute_from_command_line(sys.argv)
        return
    with postgres_running():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
