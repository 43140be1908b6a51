"""The commands, one module for each thing that a person wants to do."""
