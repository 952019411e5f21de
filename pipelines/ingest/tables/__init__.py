"""Owns files that hold a table, as rows of text: CSV in any encoding, Parquet, workbooks.

Uses no other room.
Begin with `table_file`.
"""
