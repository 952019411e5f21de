"""Owns the documents around simulated declarations: consistent ones, false ones, and the truth about these.

Uses `simulation.world`, `simulation.days`, `documents`, `store`.
Begin with `kinds`, then `documents`.
"""
