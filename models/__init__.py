"""What is learned: splits, models, calibration, evaluation, the registry, and selection."""
