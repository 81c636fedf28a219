"""daybreak turns dark pictures into clear ones.

>>> import daybreak
>>> daybreak.__version__.count(".")
2
"""

__version__ = "0.1.0"
