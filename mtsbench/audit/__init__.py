"""The leakage audit: whether anything of the test cases reaches a model before it is tested."""
