"""Step 11: tables, figures, claims, and the files of a run."""
