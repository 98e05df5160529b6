"""Says which links inside the built site lead nowhere; addresses elsewhere are counted, not asked."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, and the places in it that can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and places of one tag."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.places.add(value)
            elif name in ("href", "src") and value:
                self.links.add(value)


def main(site: Path) -> int:
    """Print the broken links of a site with their pages; return 1 where there is one."""
    pages: dict[Path, Page] = {}
    for file in sorted(site.resolve().rglob("*.html")):
        pages[file] = Page()
        pages[file].feed(file.read_text(encoding="utf-8"))
    inside = elsewhere = broken = 0
    for file, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                elsewhere += 1
                continue
            inside += 1
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            named = target not in pages or not parts.fragment or unquote(parts.fragment) in pages[target].places
            if not (target.exists() and named):
                broken += 1
                print(f"{file.relative_to(site.resolve())}: {link} leads nowhere")
    print(f"{len(pages)} pages, {inside} links inside the site, {broken} broken; {elsewhere} to elsewhere not asked")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
