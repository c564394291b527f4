"""The page in a real browser: hostile texts stay texts, nothing is wider than a phone."""

import html
import json
import re

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy".*?>')
MEASURE = """<script>
addEventListener("load", () => {
  const wide = document.documentElement.scrollWidth, seen = document.documentElement.clientWidth;
  const mark = document.querySelector(".tip");
  mark.dispatchEvent(new PointerEvent("pointerenter", {clientX: 380, clientY: 5}));
  const told = document.getElementById("tip").textContent;
  const colour = getComputedStyle(document.body).backgroundColor;
  parent.postMessage({wide, seen, told, colour}, "*");
});
</script>"""
OUTER = """<!DOCTYPE html><title>outer</title><pre></pre>
<script>addEventListener("message", (event) => {
  document.querySelector("pre").textContent += JSON.stringify(event.data) + "\\n";
});</script>
<iframe width="390" height="800" srcdoc="{page}"></iframe>"""


def test_hostile_texts_run_nothing(browser, hostile_page, hostile):
    """A page that ran one of them would have another title; no policy is in its way here."""
    dom = browser(POLICY.sub("", hostile_page))
    (title, *_) = re.findall(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert html.unescape(title) == f"{hostile}: report"
    assert dom.count("<script") == dom.count("<script>document.title") + 1
    assert "x.example/" in dom  # as a text
    assert not re.search(r"<img src=\W?http", dom)


def test_nothing_is_wider_than_a_phone_and_values_show_at_once(browser, make_page):
    from bmtrain.pages import page

    word = "a_rather_long.name " * 3 + "w" * 150
    measured = POLICY.sub("", page.html(make_page(word))).replace("</body>", f"{MEASURE}</body>")
    outer = OUTER.replace("{page}", html.escape(measured))
    colours = set()
    for switches in ((), ("--blink-settings=preferredColorScheme=0",)):
        (found,) = re.findall(r"<pre>(\{.*?\})", browser(outer, *switches))
        values = json.loads(html.unescape(found))
        assert values["wide"] == values["seen"] <= 390
        assert values["told"].startswith("epoch 1: a_rather_long.name")
        colours.add(values["colour"])
    assert colours == {"rgb(255, 255, 255)", "rgb(20, 24, 28)"}


def test_folds_are_printed(browser, tmp_path):
    """A fold of 300 lines is several sheets of paper; a closed one would be none."""
    from bmtrain.pages import page
    from bmtrain.pages.content import Code, Page, Part, Section

    sheets = []
    for text in ("1", "\n".join(["1"] * 300)):
        code = Code("lines", text, folded=True)
        made = Page("fold", "report", (Part("", (Section("all", "All", (code,)),)),), "today")
        browser(page.html(made), f"--print-to-pdf={tmp_path / 'printed.pdf'}")
        sheets.append(len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "printed.pdf").read_bytes())))
    assert sheets[0] == 1
    assert sheets[1] > 3
