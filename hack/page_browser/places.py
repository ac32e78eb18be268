"""The places of the browser and of its files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
OPTIMISER = Path("/usr/bin/pngquant")
REQUIREMENTS = ROOT / "tests/page/requirements.lock"
AXE_VERSION = "4.14.1"
# Hidden: its pages are none of ours.
NODE_MODULES = ROOT / "build/.browser"
AXE = NODE_MODULES / "node_modules/axe-core/axe.min.js"
IMAGES = ROOT / "docs/images"
