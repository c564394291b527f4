"""The tables of a report, read as a browser reads them."""

from html.parser import HTMLParser


class Tables(HTMLParser):
    """caption -> rows of cells."""

    def __init__(self, page):
        super().__init__()
        self.found = {}
        self._row: list[str] = []
        self._text: str | None = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "div" and dict(attrs).get("class") == "wide":
            self._caption = dict(attrs)["aria-label"]
            self.found[self._caption] = []
        if tag == "tr":
            self._row = []
            self.found[self._caption].append(self._row)
        if tag in {"td", "th"}:
            self._text = ""

    def handle_data(self, data):
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self._row.append(self._text or "")
            self._text = None
