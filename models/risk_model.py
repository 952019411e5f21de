"""The name under which registered models know `models.risk.risk_model`."""

from models.risk.risk_model import RiskModel

__all__ = ["RiskModel"]
