"""Owns the typed objects behind each configuration file, one module a section, and `Settings`, which
  gathers them.

Uses `configs.errors`, `configs.language`, `configs.messages`.
Begin with `settings`, then the section that you change.
"""
