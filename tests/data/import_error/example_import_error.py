import a_package_that_nobody_installs  # noqa: F401
