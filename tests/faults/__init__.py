"""Faults: what is killed, and whether everything is still there."""
