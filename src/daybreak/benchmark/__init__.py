"""How fast methods are, and what memory they take: each case in a process of its own, beside the codec."""
