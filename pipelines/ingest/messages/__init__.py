"""Owns the official messages that are taken in: every module here is a format, found and registered nowhere.

Uses `reading`.
Begin with `inventories`; `reading.message_format` says what a format has to be.
"""
