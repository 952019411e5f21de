"""Owns the page of a training and its plots, and what self-contained pages have in common.

Uses every room of `models`.
Begin with `model_page`.
"""
