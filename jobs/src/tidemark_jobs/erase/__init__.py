"""Erasure: given keys removed for good from all that the lake has of a source, and the proof of it."""
