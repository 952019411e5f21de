"""Owns runs, models and champions in MLflow, which only this room knows, and the model as MLflow
  serves it.

Uses every room of `models` but the reports.
Begin with `tracker`.
"""
