"""Say what exists: specs, names, types, settings, errors, visibility and the argv of every job, without any engine."""
