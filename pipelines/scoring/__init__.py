"""Owns scoring: the functions mapped over buckets, the steps of a day, models in use, what a day lacks.

Uses `history`, `store`, `work`.
Begin with `bucket`, then `bucket_steps` and `history_steps`.
"""
