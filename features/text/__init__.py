"""Owns declared text: what hides in it, which terms stand in it, and how a document may show it.

Uses nothing of the project.
Begin with `disguise`.
"""
