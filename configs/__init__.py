"""What can be set: typed settings, the YAML files behind them, and reference tables."""
