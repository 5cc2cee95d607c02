"""`python -m bzpeer.run`: the whole of BZPEER on one machine, until Ctrl-C."""

import sys

from bzpeer.run.demo import main

if __name__ == "__main__":
    sys.exit(main())
