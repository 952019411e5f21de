"""Owns the verbs `score`, `select` and `plan`.

Uses `scoring`, `lists`, `history`, `pages`, `store`, `work`.
Begin with `score`, then `score_day`.
"""
