"""Evidence about row layouts: what the rows of a folder say together, where one row cannot.

1. `rows`: the rows of some label files, with the shape of the object of each class number;
2. `boxes`, `six_columns`, `poses`: facts about the rows of one number of columns, with counts;
3. `decide`: one layout for the folder, the table of the specification, or a choice for the user.

Contents come in, a decision goes out: files, folders and options are not known here. A row whose
geometry is that of its object's shape is evidence for nothing else, unless it is in pixels.
"""
