"""The documentation builds as a site without warnings, and loads nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docgen.site import linked, with_names

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r"<(?:script|img|iframe)[^>]* src=\"?(https?:[^\s\">]+)|@import|url\(https?:")
STYLES = re.compile(r"<link[^>]* rel=\"?(?:stylesheet|preconnect|icon)[^>]*https?:")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs-site` does."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_the_site_has_every_page_and_picture(site: Path) -> None:
    for page in ("index", "quick-start", "concepts", "reference/settings", "decisions/index"):
        assert (site / f"{page}.html").is_file()
    assert (site / "images/decision.svg").is_file()


def test_the_site_needs_no_network(site: Path) -> None:
    loads = {
        str(page.relative_to(site))
        for page in [*site.rglob("*.html"), *site.rglob("*.css")]
        if LOADED.search(page.read_text()) or STYLES.search(page.read_text())
    }
    assert loads == set()


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[c](docs/concepts.md#lock)", "[c](concepts.md#lock)"),
        ("[w](tekton/README.md)", "[w](workflows/index.md)"),
        ("[d](docs/decisions/)", "[d](decisions/README.md)"),
        ("[code](operator/workflowexecution/settings.py)", "code"),
        ("[t](https://tekton.dev)", "[t](https://tekton.dev)"),
    ],
)
def test_links_lead_to_the_pages_of_the_site(link: str, expected: str) -> None:
    assert linked(link, "README.md", "index.md") == expected


def test_names_in_first_columns_stay_in_one_line(site: Path) -> None:
    row = '<tr>\n<td><code>wfe bundle</code> in <a href="a-b.html">one-place</a></td>\n<td>a-b</td>'
    assert with_names(row) == row.replace(">one-place", '><span class="name">one-place</span>')
    settings = (site / "reference/settings.html").read_text()
    assert re.search(r"<td><code><span class=\"?name\"?>--execution-namespace</span>", settings)
    assert (site / "stylesheets/names.css").is_file()
