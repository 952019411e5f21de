"""Owns the sentences of a list: reasons of risk and of chance, and a probability in words.

Uses `features.text` and the templates of the configuration.
Begin with `reasons`.
"""
