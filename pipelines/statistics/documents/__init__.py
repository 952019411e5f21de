"""Owns the files of a month's statistics: table, text, workbook and page.

Uses `lists`, `pages`, and of its neighbours `issue`.
Begin with `writing`.
"""
