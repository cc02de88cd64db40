"""Seeded YOLO data sets of any size, to measure on.

Their shape is that of public data sets: 7.3 boxes an image (COCO), 7.2 polygons an image of about 20
vertices with a long tail (COCO), rotated boxes as four corners of which four in five were clicked and
rounded to pixels, so that they miss a rectangle (DOTA). There are 80 classes, the low numbers more
often, and coordinates have six decimals. Every shape lies inside its image, and every row is valid,
apart from the part of the rows that the caller wants defective.

The same arguments give the same bytes, with the same versions of numpy (coordinates) and Pillow
(images): file i depends on the seed, the kind, the defects and i, not on the number of files.

Steps: `labelingest.bench.synthetic.rows` draws numbers, `labelingest.bench.synthetic.label_files`
writes them as text, `labelingest.bench.synthetic.data_set` makes folders of both.
"""
