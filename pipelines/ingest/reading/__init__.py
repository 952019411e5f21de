"""Owns what sources and message formats are made of: their bases, mappings, records of messages.

Uses `store`, `privacy`.
Begin with `source`, which says what intake asks of a file, then `message_format`.
"""
