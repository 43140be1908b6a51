"""Speak with PostgreSQL: publications, slots, marks, snapshots, fingerprints, hashes and discovery."""
