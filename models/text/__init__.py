"""Owns a linear score over hashed n-grams of declared text, and the word that tells the most.

Uses `models.trees.columns`.
Begin with `score`.
"""
