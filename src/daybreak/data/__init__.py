"""Data sets: finding, pairing, splitting and synthesising pictures to train and test on."""
