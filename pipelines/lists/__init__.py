"""Owns an office's list as people see it: its fields, workbook, page and CSV, and the record of what
  was issued.

Uses `models.report.page`, `cases`, `store`.
Begin with `fields`, then `office_list`.
"""
