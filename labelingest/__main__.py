"""`python -m labelingest`: the command line.

`python -m` itself looks for modules in the current folder, until this package is found and takes it
out of the search path. In a folder that is not trusted, use `labelingest` or `python -P -m`.
"""

from labelingest.cli.main import main

if __name__ == "__main__":
    main()
