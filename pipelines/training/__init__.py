"""Owns training and searches over the store, and which model is in use.

Uses `history`, `store`, `work`.
Begin with `train`, then `train_risk`.
"""
