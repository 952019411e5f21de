"""Owns the command line: options, logs, how a run ends.

Uses every room.
Begin with `main`, then `lazy` and `verbs`.
"""
