"""`python -m wherefore`."""

from .cli.main import main

main()
