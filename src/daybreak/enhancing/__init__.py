"""Running a method on pixels, files and folders: the one path for padding, strength and exposure."""
