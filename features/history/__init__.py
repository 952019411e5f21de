"""Owns history as a fold over days: its keys, the sums of a day, hit rates, peers, and the view that a
  line has of it.

Uses `features.arrays` and the settings of the history.
Begin with `fold`, then `view`, which feature blocks are given.
"""
