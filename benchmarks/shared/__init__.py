"""Owns what every measurement needs: figures, clocks, processes of their own.

Uses no other room.
Begin with `figures`.
"""
