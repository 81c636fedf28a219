"""Files and pixels: reading, writing, colour, resizing and filters."""
