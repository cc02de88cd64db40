"""The state of synced folders, in a relational database through SQLAlchemy Core.

::

    tables.py           permanent tables, and temporary ones that take a listing and its changes
    database.py         opening, transactions, bulk loading
    migrate.py          migrations of an older schema, which are in migrations/
    folders.py          folders by name, with their settings and their schedule
    items.py            items by Encord's names
    label_rows.py       status and file of a label row
    problems.py         current problems of a folder
    runs.py             records of runs
    lock.py             one sync per folder at a time
    integrations.py     named options to reach cloud storage
    summary.py          a folder at a glance
    stored_values.py    checks of stored JSON
    clock.py            times

No module of the state imports `labelingest.folders.sync`: a state can be read without a sync.
"""
