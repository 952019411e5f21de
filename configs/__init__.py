"""What can be set without touching code: the pipeline, capacities, risks, foreign tables and reference tables."""
