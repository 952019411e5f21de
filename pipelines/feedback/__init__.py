"""Owns what comes back from inspectors: files, columns, places on the list, values, decisions.

Uses `lists`, `ingest.result_writer`, `privacy`, `store`, `work`.
Begin with `feedback`, then `rows`: a returned row from its file to the log.
"""
