"""Owns the verbs: every module here is found, and is the verb of its name.

Uses every room; takes what it runs as modules, which are loaded when the verb runs (`pipelines.cli.lazy`).
Begin with `plan`, a short one.
"""

ORDER_OF_USE = (
    *("ingest", "withdraw", "simulate", "train", "evaluate", "tune", "combinations", "champion", "score"),
    *("check", "select", "plan", "feedback", "report", "statistics", "backtest", "monitor"),
    *("forget", "rekey", "doctor", "demo"),
)
