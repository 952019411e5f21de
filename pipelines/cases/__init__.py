"""Owns the case of a listed parcel: what it holds, how it is put together, and its words.

Uses no other room.
Begin with `case`.
"""
