"""Enhancement methods: one file per algorithm, none of which needs torch."""

from daybreak.methods.base import Card, Choice, Method, Settings
from daybreak.methods.registry import METHODS, get_method, list_methods

__all__ = ["METHODS", "Card", "Choice", "Method", "Settings", "get_method", "list_methods"]
