"""One file per training loss (PyTorch)."""
