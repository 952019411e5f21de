"""Owns charts, tables and the skeleton that pages and terminals share.

Uses `models.report.page`.
Begin with `report_page`.
"""
