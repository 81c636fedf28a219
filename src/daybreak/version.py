"""The version of daybreak, on the ground floor so that what writes it into files need not look up."""

__version__ = "0.1.0"
