"""Evaluation: what a model's results rest on, and how good they are."""
