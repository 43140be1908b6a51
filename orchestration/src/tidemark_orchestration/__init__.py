"""Decide when each job runs, where and in what order, with Airflow."""
