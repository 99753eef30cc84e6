"""`python -m workers.cli`: the `kb` command, where its script is not on the path."""

import sys

from workers.cli import main

sys.exit(main())
