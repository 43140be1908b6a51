"""Land the change stream of a source as files, with Flink."""
