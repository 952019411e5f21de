"""Owns the law by which a night scales, fitted to nights of one store.

Uses `shared`.
Begin with `scaling_law`.
"""
