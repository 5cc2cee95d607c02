#!/usr/bin/env python
"""Run a management command, with the embedded servers if the environment names no others."""

import sys

from bzpeer.run.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
