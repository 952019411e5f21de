"""Owns the verb `monitor`: what it reads, compares and finds out about a day, and its page.

Uses `history`, `pages`, `store`, `work`.
Begin with `monitor`.
"""
