"""Enhancement methods: one file per algorithm, none of which needs torch."""

from daybreak.methods.base import Card, Choice, Method, Settings
from daybreak.methods.registry import every_method, get_method, list_methods

__all__ = ["Card", "Choice", "Method", "Settings", "every_method", "get_method", "list_methods"]
