"""Owns the verbs: every module here is one, imported when it is called for.

Uses every room.
Begin with `plan`, a short one.
"""
