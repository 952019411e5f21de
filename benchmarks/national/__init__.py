"""Owns a day of millions of lines, and the same night as plain LightGBM and as pandas do it.

Uses `shared`.
Begin with `national_night`.
"""
