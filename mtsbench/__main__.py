"""`python -m mtsbench`: the command line."""

from mtsbench.cli import main

main()
