"""A page of every kind of block, and a browser to read it."""

import os
import shutil
import subprocess

import pytest

from bmtrain.pages.charts import histogram_spec, reliability_spec, scatter_spec
from bmtrain.pages.content import (
    Chart,
    Charts,
    Code,
    Confusion,
    Fact,
    Facts,
    Listing,
    Mistake,
    Mistakes,
    Page,
    Part,
    Picture,
    Pictures,
    Section,
    Table,
    Tokens,
    Words,
)
from bmtrain.pages.curves import Curve, curves_spec

#: Would run, load or close something wherever it stood unescaped.
HOSTILE = "<script>document.title='run'</script>\"'><img src=http://x.example/ onerror=\"document.title='run'\">{{ 7*7 }}]]></style></script>"
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def blocks(text):
    """Every kind of block; ``text`` wherever a block takes one."""
    table = Table(text, (text, text), ((text, text),), frozenset({1}), folded=True, note=text)
    curves = [Curve(f"{text}{i}", i, i == 1, ((1, 2.0), (2, 1.0))) for i in range(2)]
    told = {"low": 0.1, "high": 0.4, "told": text}
    charts = [
        Chart(text, curves_spec(curves, text, marked=(2, text)), text, table),
        Chart(text, reliability_spec([{**told, "confidence": 0.3, "share": 0.2}]), text),
        Chart(text, histogram_spec([{**told, "count": 2}], text, text), text),
        Chart(text, scatter_spec([{"x": 1, "y": 2, "told": text}], text, text, line="zero"), text),
    ]
    return (
        Words(text, "bad"),
        Listing((text,)),
        Facts((Fact(text, text, text),)),
        table,
        Table(text, (text, text), ((text, text), ("b", "c")), note=text, bars=(-2.0, 1.0)),
        Tokens(text, (text, "b"), (1.0, float("nan"))),
        Confusion((text, "b"), (text, "b"), ((3, 1), (0, 4))),
        Charts(tuple(charts)),
        Pictures((Picture(PIXEL, text, text),), text),
        Mistakes(
            (
                Mistake(text, text, text, text=text, cells=((text, text),), file=text),
                Mistake(text, text, text, picture=Picture(PIXEL, text)),
            )
        ),
        Code(text, text),
        Code(text, text, folded=True),
    )


@pytest.fixture(scope="session")
def make_page():
    """(text, number of parts) -> a page that has the text in every place."""

    def make(text, num_parts=1):
        sections = (Section("all", text, blocks(text)),)
        parts = tuple(Part(text if num_parts > 1 else "", sections) for _ in range(num_parts))
        return Page(text, "report", parts, text, (Words(text),), Facts((Fact(text, text),)))

    return make


@pytest.fixture(scope="session")
def hostile():
    return HOSTILE


@pytest.fixture(scope="session")
def hostile_page(make_page):
    from bmtrain.pages.page import html

    return html(make_page(HOSTILE, num_parts=2))


@pytest.fixture
def browser(tmp_path):
    """(HTML, switches …) -> what the page has become after its scripts ran.

    With ``--print-to-pdf=FILE`` it is printed instead, and the answer is empty.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")

    def dump(html, *switches):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        command = [program, "--headless", "--disable-gpu", "--no-first-run"]
        command += ["--no-sandbox"] if os.geteuid() == 0 else []
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=4000"]
        ended = subprocess.run(
            [*command, *switches, "--dump-dom", file.as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return ended.stdout

    return dump
