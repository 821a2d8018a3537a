"""The frame of every HTML page that grading writes: one style sheet, no scripts, nothing fetched, nothing unescaped."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from html import escape

from assignments_lib.look import DARK, FAIL, FINE_PRINT, LIGHT, LINE, PASS, READ, Theme, badge_style


def _colours(theme: Theme) -> str:
    return f"--ground: {theme.ground}; --ink: {theme.ink}; --quiet: {theme.quiet}; --box: {theme.box};"


_CLASS = {PASS: "pass", FAIL: "fail", READ: "read"}  # any other status says that something isn't there yet

# What pages share with the tables of checks: light and dark, and how a status looks
_SHARED = [
    f":root {{ color-scheme: light dark; --line: {LINE}; --fine: {FINE_PRINT}; {_colours(LIGHT)} }}",
    f"@media (prefers-color-scheme: dark) {{ :root {{ {_colours(DARK)} }} }}",
    *(f".{name} {{ {badge_style(status)} }}" for status, name in {**_CLASS, "": "blank"}.items()),
]
_OWN = """
body { background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1rem 1.25rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .25rem; }
h2 { border-top: 1px solid var(--line); font-size: 1.2rem; margin: 2.2rem 0 .5rem; padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p, dl, ul { margin: .5rem 0; }
.quiet { color: var(--quiet); font-size: var(--fine); }
.sum { font-size: 1.25rem; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; }
caption { font-weight: 600; padding: .2rem 0; text-align: left; }
tbody th { font-weight: inherit; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .8rem .35rem 0; text-align: left;
  vertical-align: top; overflow-wrap: normal; }
td.number, th.number { text-align: right; white-space: nowrap; }
ul.parts { list-style: none; padding: 0; }
ul.parts li { margin: .25rem 0; }
dl { display: grid; gap: .15rem 1rem; grid-template-columns: minmax(6rem, max-content) 1fr; }
dt { font-weight: 600; }
dd { margin: 0; min-width: 0; }
pre, .words { background: var(--box); border-radius: 4px; margin: .4rem 0; overflow-x: auto; padding: .6rem .8rem;
  white-space: pre-wrap; }
pre { font: var(--fine)/1.4 ui-monospace, monospace; }
.note { border-left: 4px solid var(--line); margin: .8rem 0; padding: .1rem 0 .1rem .8rem; }
img { background: #fff; height: auto; max-width: 100%; }
@media (max-width: 36rem) { dl { display: block; } dd { margin: 0 0 .4rem; } }
@media print { body { max-width: none; } h2, h3 { break-after: avoid; } .scroll { overflow: visible; }
  .badge { background: #fff; border: 1px solid; color: #000; } }
"""
STYLE = "\n".join(_SHARED) + _OWN


def page(title: str, body: str, *, pictures: bool = False) -> str:
    """A whole page; ``title`` is escaped here, ``body`` must be HTML whose texts went through `text`."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    if pictures:
        policy += "; img-src data:"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def table(caption: str, heads: Sequence[str], rows: Sequence[str], numbers: Sequence[int] = ()) -> str:
    """A table that scrolls by itself where it is wider than the page; ``numbers`` are the columns set to the right."""
    head = "".join(
        f'<th scope="col"{_NUMBER if place in numbers else ""}>{words}</th>'
        for place, words in enumerate(heads)
    )
    name = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table><caption>{name}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


_NUMBER = ' class="number"'


def badge(status: str) -> str:
    """A status: a word before it is a colour."""
    return f'<span class="badge {_CLASS.get(status, "blank")}">{escape(status)}</span>'


def text(value: str, limit: int = 4000) -> str:
    """Whatever somebody wrote, as HTML: cut at a limit, escaped, and with nothing in it that hides or turns text."""
    value = value.replace("\r\n", "\n")
    shown = "".join(map(_seen, value[:limit]))
    cut = f" ... ({len(value) - limit:,} characters more)" if len(value) > limit else ""
    return escape(shown) + cut


_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# Letters, marks and a braille pattern to Unicode, and nothing to the eye
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")


def _seen(character: str) -> str:
    """The character, or its number where it would be invisible or turn the text round it."""
    if character in "\n\t":
        return character
    if character in _FILLERS or unicodedata.category(character) in _UNSEEN:
        return f"[U+{ord(character):04X}]"
    return character


def points(number: float) -> str:
    """4.0 is 4 to people, and 4.5 is 4.5."""
    return f"{number:g}"
