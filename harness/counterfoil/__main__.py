"""`python -m counterfoil` is the same program as `counterfoil`."""

from counterfoil.commands.cli import main

if __name__ == "__main__":
    main()
