"""Trackers that core brings; each is imported when it is built, because its package is optional."""

import os

# MLflow asks the network for settings as soon as it is imported, and tells it what is used.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
