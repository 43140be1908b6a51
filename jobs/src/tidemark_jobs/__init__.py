"""Fold landed changes into tables that are exact at a mark, and prove it, with Spark."""
