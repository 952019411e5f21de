"""What can be set without touching code: pipeline, capacities, risks, foreign tables, reference tables."""
