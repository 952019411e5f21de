"""Owns which files the paths of a command line stand for: folders, patterns, archives, and names to show.

Uses no other room.
Begin with `deliveries`.
"""
