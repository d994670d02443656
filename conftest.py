"""A drawn example may take as long as it needs: other programs run beside the tests."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
