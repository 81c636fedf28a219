"""Work that outlasts a request: kept on the disk, done in turn, told about while it is done."""
