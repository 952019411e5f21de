"""Owns the data contract of declarations and inspections: columns, conversions, checks, reasons
  against a value.

Uses `features.arrays`.
Begin with `declarations`, then `checked`.
"""
