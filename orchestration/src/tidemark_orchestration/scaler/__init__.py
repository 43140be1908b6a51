"""As many Celery workers as there is work for, where nothing else sees to it: KEDA does on Kubernetes.

Airflow's REST API says what is queued and what runs; a worker that is not needed any more takes no new task, ends what
it has begun, and then ends itself. All of the state is in the workers: a scaler that was killed is begun again.
"""
