"""`python -m labelingest`: the command line."""

from labelingest.cli.main import main

if __name__ == "__main__":
    main()
