"""Check what the README's first command made: a brighter picture, whole, and no torch on the machine."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import daybreak

command = next(
    line for line in Path("README.md").read_text().splitlines() if line.startswith("pip install . &&")
)
source, folder = re.search(r"enhance (\S+) -o (\S+)", command).groups()
source = Path(source)
result = Path(folder, f"{source.stem}_daybreak{source.suffix}")

before, after = daybreak.load_image(source).pixels, daybreak.load_image(result).pixels
told = f"{source} ({before.mean():.3f}) -> {result} ({after.mean():.3f})"
if before.shape != after.shape or after.mean() < 2 * before.mean():
    sys.exit(f"the first command made no brighter picture: {told}")
heavy = [
    name for name in ("torch", "torchvision", "lightning", "PIL", "gradio") if importlib.util.find_spec(name)
]
if heavy:
    sys.exit(f"the base install brought in {', '.join(heavy)}")
print(told)
