"""The state of synced folders, in a relational database through SQLAlchemy Core.

::

    tables.py       the tables, and two temporary ones that take a listing
    database.py     opening, transactions, bulk loading
    migrate.py      brings an older schema up to date; the migrations are beside
"""
