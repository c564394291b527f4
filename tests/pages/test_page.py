"""The page as text: what comes from elsewhere is text, nothing is loaded, everybody can read it."""

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bmtrain.errors import EnvironmentFault
from bmtrain.pages import drawing, page
from bmtrain.pages.content import Confusion, Page, Part, Section, Table, Tokens, Words
from bmtrain.pages.drawing import require_packages
from bmtrain.pages.page import breakable
from bmtrain.pages.shares import Bar

STYLE = (Path(page.__file__).parent / "templates" / "style.css").read_text()


class Elements(HTMLParser):
    """Tags with their attributes, in order, and all text."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.texts = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def elements(hostile_page):
    return Elements(hostile_page)


def test_what_comes_from_data_or_config_is_text_wherever_it_stands(elements, hostile):
    assert len(elements.of("script")) == 1
    assert len(elements.of("style")) == 1
    assert all(attributes["src"].startswith("data:image/png;") for attributes in elements.of("img"))
    assert not [name for _, attributes in elements.tags for name in attributes if name[:2] == "on"]
    texts = "".join(elements.texts)
    assert texts.count(hostile) > 30


def test_templates_take_no_text_for_a_template(hostile_page):
    assert "{{ 7*7 }}" in hostile_page
    assert ">49<" not in hostile_page


def test_nothing_is_loaded_and_only_our_own_script_and_style_may_act(hostile_page, elements):
    """Though a text were not escaped: the browser would neither run nor fetch it."""
    policy = next(a["content"] for a in elements.of("meta") if "http-equiv" in a)
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == "'none'"
    assert allowed["img-src"] == "data:"
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", hostile_page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert allowed[f"{tag}-src"] == f"'sha256-{digest}'"
    assert not [1 for _, a in elements.tags if a.keys() & {"style", "srcset", "action", "data"}]
    links = [attributes["href"] for attributes in elements.of("a")]
    assert all(link.startswith("#") for link in links)
    assert not elements.of("link") + elements.of("iframe") + elements.of("object")


def test_every_figure_is_there_without_scripts(elements):
    """Under the pointer as a title, and in a table."""
    tips = [a["class"] for _, a in elements.tags if a.get("class") == "tip"]
    # Of two pages: two epochs, a bin, a bar, a point; and each page has a title.
    assert len(tips) == 2 * (2 + 1 + 1 + 1)
    assert len(elements.of("title")) == len(tips) + 1
    assert {"table", "details", "figcaption"} <= {tag for tag, _ in elements.tags}


def test_each_picture_and_drawing_says_what_is_to_be_seen(elements):
    assert all(attributes["alt"] for attributes in elements.of("img"))
    # A bar has its number beside it.
    drawings = [a for a in elements.of("svg") if a.get("aria-hidden") != "true"]
    assert len(drawings) == 8
    assert all(a["role"] == "img" and a["aria-label"] for a in drawings)
    assert all("scope" in attributes for attributes in elements.of("th"))
    assert elements.of("html") == [{"lang": "en"}]
    assert {"main", "nav", "header", "footer"} <= {tag for tag, _ in elements.tags}
    identifiers = [a["id"] for _, a in elements.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)


def test_headings_leave_out_no_level(elements):
    levels = [int(tag[1]) for tag, _ in elements.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def colours(scheme):
    """The variables of the light or the dark page."""
    begin = STYLE.index("@media screen and (prefers-color-scheme: dark)")
    text = STYLE[:begin] if scheme == "light" else STYLE[begin:].partition("\n}")[0]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))
    return {
        name: [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for name, code in found.items()
    }


def luminance(colour):
    """WCAG 2.2's relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    dark, light = sorted(map(luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_the_page_can_be_read(scheme):
    """WCAG 2.2, AA: 4.5 for text, 3 for lines that say something."""
    found = colours(scheme)
    page_colour, band, shade = found["page"], found["band"], found["shade"]
    assert len(found) == 18
    for name in ("ink", "soft", "accent", "good", "bad"):
        for background in (page_colour, band):
            assert contrast(found[name], background) >= 4.5, name
    for strong, tenths in itertools.product((shade, found["against"]), range(11)):
        mixed = [
            tenths / 10 * s + (1 - tenths / 10) * p
            for s, p in zip(strong, page_colour, strict=True)
        ]
        assert contrast(found["ink"], mixed) >= 4.5, tenths
    for number in range(1, 9):
        assert contrast(found[f"series-{number}"], page_colour) >= 3, number


def test_a_cells_shade_is_its_share_of_the_row():
    confusion = Confusion(("a", "b"), ("a", "b"), ((19, 1), (0, 0)))
    assert [confusion.shade(0, 0), confusion.shade(0, 1), confusion.shade(1, 0)] == [10, 1, 0]


def test_bars_begin_at_the_left_or_where_some_are_negative_in_the_middle():
    def bars(*values):
        return Table("", (), (), bars=values).drawn_bars

    assert bars(1.0, 4.0) == [Bar(0, 25, "for"), Bar(0, 100, "for")]
    assert bars(-1.0, 2.0) == [Bar(25, 25, "against"), Bar(50, 50, "for")]
    assert [bar.length for bar in bars(0.0, float("nan"), float("inf"))] == [0, 0, 0]


def test_a_tokens_colour_is_its_share_of_the_largest():
    tokens = Tokens("", ("a", "b", "c"), (0.2, -0.4, float("nan"))).shown
    assert [(token.side, token.tenths) for token in tokens] == [
        ("for", 5), ("against", 10), ("for", 0)
    ]  # fmt: skip


def test_what_cannot_be_seen_is_written_out_and_spaces_that_end_no_line_stay(make_page):
    html = page.html(make_page("a\u202eb\0c\x1bd\ud800e 9\u00a0%"))
    assert "a\\u202eb\\x00c\\x1bd\\ud800e 9\u00a0%" in html
    assert not set("\u202e\0\x1b\ud800") & set(html)


def test_a_page_without_charts_has_no_script_and_allows_none():
    text = Section("only", "Only", (Words("words"),))
    html = page.html(Page("title", "report", (Part("", (text,)),), "made"))
    assert "<script" not in html
    assert "script-src 'none'" in html


def test_long_words_may_be_broken_and_lose_nothing():
    text = "training.checkpoint.every_steps/" + "x" * 60 + " 1 < 2"
    broken = str(breakable(text))
    assert broken.replace("<wbr>", "").replace("&lt;", "<") == text
    assert broken.startswith("training.<wbr>checkpoint.<wbr>every_<wbr>steps/<wbr>")
    assert max(map(len, broken.split("<wbr>"))) <= 28
    words = str(breakable("no word of a sentence is broken, however long the sentence is"))
    assert [piece for piece in words.split("<wbr>") if piece.strip()] == words.replace(
        "<wbr>", ""
    ).split()


def test_what_is_not_installed_is_told_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(EnvironmentFault, match="needs packages that are not installed") as caught:
        require_packages("report")
    hint = caught.value.hint or ""
    assert "-m pip install" in hint
    assert all(package in hint for package in drawing.PACKAGES)
