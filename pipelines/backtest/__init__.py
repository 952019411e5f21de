"""Owns the replay of a period's nights with several strategies: see docs/backtest.md.

Uses `training`, `scoring`, `history`, `pages`, `simulation`, `store`, `work`.
Begin with `run`, then `replay`.
"""

from pipelines.backtest.replay import Plan
from pipelines.backtest.report import BacktestReport
from pipelines.backtest.run import backtest
from pipelines.backtest.strategies import STRATEGIES

__all__ = ["STRATEGIES", "BacktestReport", "Plan", "backtest"]
