"""Replays the nights of a period with several strategies: see docs/backtest.md."""

from pipelines.backtest.replay import Plan
from pipelines.backtest.report import BacktestReport
from pipelines.backtest.run import backtest
from pipelines.backtest.strategies import STRATEGIES

__all__ = ["STRATEGIES", "BacktestReport", "Plan", "backtest"]
