"""`python -m trueup` is `trueup`."""

from trueup.cli.main import main

main()
