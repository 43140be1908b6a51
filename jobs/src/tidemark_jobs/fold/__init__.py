"""The fold: from the changes between two marks to one final state per row. Pure DataFrame → DataFrame."""
