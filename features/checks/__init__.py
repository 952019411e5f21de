"""Owns the checks of a declaration's documents, of its goods and of returns: every module here is a family of
  them, found by its name and registered nowhere.

Uses `features.check`, which says what a family has to be, `features.arrays`, `features.contract`,
`features.text`, `features.words` and the reference tables.
Begin with `weight`, the shortest.
"""
