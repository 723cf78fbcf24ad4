"""Readers: one file for a product, each ends in a data set of the schema."""
