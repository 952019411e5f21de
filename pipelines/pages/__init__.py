"""Owns charts and tables that pages and terminals share.

Uses nothing of the project.
Begin with `svg_charts`.
"""
