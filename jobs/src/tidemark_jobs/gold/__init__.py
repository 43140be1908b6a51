"""Marts: tables for analysts, built from all silver tables of a source at one mark."""
