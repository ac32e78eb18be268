"""A hook of mkdocs that adds pages from outside `docs/` to the site.

A link leads to the page that a file became; a link to a file that is no page leaves its text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
ADDED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing/index.md",
    "CHANGELOG.md": "changes.md",
    "manifests/chart/README.md": "reference/chart.md",
    "tekton/README.md": "workflows/index.md",
    **{
        f"tekton/{path.parent.name}/README.md": f"workflows/{path.parent.name}/index.md"
        for path in ROOT.glob("tekton/*/README.md")
    },
}
_LINK = re.compile(
    r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)"
)
_FIRST_CELL = re.compile(r"(<tr>\s*<td[^>]*>)(.*?)</td>", re.DOTALL)
_TAG = re.compile(r"(<[^>]+>)")
_NAME = re.compile(r"\S*\w[-./]\w\S*|--\w\S*")
_ELSEWHERE = re.compile(r"[a-z]+:")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside `docs/`."""
    for source, page in ADDED.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links of one page to where the files are in the site."""
    here = page.file.src_uri
    sources = {site: source for source, site in ADDED.items()}
    return linked(markdown, sources.get(here, f"docs/{here}"), here)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mark names in the first columns of tables, so that they stay in one line."""
    return with_names(html)


def with_names(html: str) -> str:
    """A page in whose first columns names such as `some-name` and `a.b` have the class `name`."""

    def marked(found: re.Match[str]) -> str:
        # Texts and tags, in turns.
        parts = _TAG.split(found[2])
        parts[::2] = [_NAME.sub(r'<span class="name">\g<0></span>', text) for text in parts[::2]]
        return f"{found[1]}{''.join(parts)}</td>"

    return _FIRST_CELL.sub(marked, html)


def linked(markdown: str, source: str, page: str) -> str:
    """Markdown with links for the site.

    source: where the page stands in the repository. page: where it stands in the site.
    """

    def led(found: re.Match[str]) -> str:
        path = found["path"]
        if _ELSEWHERE.match(path):
            return found[0]
        place = _place_of(posixpath.normpath(posixpath.join(posixpath.dirname(source), path)))
        if place is None:
            return found["text"]
        to = posixpath.relpath(place, posixpath.dirname(page) or ".")
        return f"{found['picture']}[{found['text']}]({to}{found['anchor'] or ''})"

    return _LINK.sub(led, markdown)


def _place_of(path: str) -> str | None:
    """The place of a file or folder of the repository in the site; None where it has none."""
    for known in (path, f"{path}/README.md"):
        if known in ADDED:
            return ADDED[known]
        if known.startswith("docs/") and (ROOT / known).is_file():
            return known.removeprefix("docs/")
    return None
