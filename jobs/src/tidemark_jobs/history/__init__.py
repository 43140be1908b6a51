"""Histories: of a table whose spec says so, every version of every row, one row each."""
