"""`python -m tests.mutants`, see `mutating`."""

import sys

from tests.mutants.mutating import main

sys.exit(main())
