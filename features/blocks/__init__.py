"""Owns the feature blocks: every module here is one, found by its name and registered nowhere.

Uses the other rooms of `features` and the reference tables, never another risk's model.
Begin with `calendar`, the shortest; `features.block` says what a block has to be.
"""
