"""Measure against real answers that were hidden while the question was asked."""
