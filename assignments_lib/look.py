"""How everything looks: one palette and one scale of type for pictures, check tables, demonstrations and pages.

It imports nothing, so that whatever shows something can import it. Colours stand here and nowhere else, but for those
that are data: what is drawn in doodles and scenes.
"""

from __future__ import annotations

from dataclasses import dataclass

# After Okabe and Ito, "Color Universal Design" (2008): told apart with any kind of colour vision. All but the
# blue are darkened, because they are text colours too and text needs 4.5:1 against white (WCAG 2.2, AA).
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#B85000", "#007A59", "#A34E7F"
INK = "#1F2328"  # text and outlines
QUIET = "#57606A"  # second-rank text: still 6:1 against white
FAINT = "#D0D7DE"  # grid lines
LINE = "#8886"  # rules of tables and edges of pictures: half transparent, for light and dark pages alike

# Grounds and surfaces that ink is read on
PAPER, MIST = "#F6F8FA", "#EEF2F6"
BLUES = ("#DCEBF7", "#B3D4EC", "#7FB5DC", "#4A93C6", "#2A76AD", "#1B5A8A")  # light to dark
COUNTS = ("#D6ECFA", "#4AA3DF")  # from few to many, light enough for dark numbers
PALE_BLUE, PALE_PURPLE, PALE_YELLOW, PALE_GREEN = BLUES[1], "#EAD9EC", "#FBE3B5", "#BFE5D6"

# Classes of a mask: background, then Okabe and Ito's colours, then lighter and darker ones of them
# fmt: off
PALETTE = (
    "#20242a", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2",
    "#d55e00", "#cc79a7", "#8c5a00", "#a6dcf5", "#7fd1b9", "#5b2a86",
)
# fmt: on
IGNORED = "#c8c8c8"

# Sizes of type: points in a figure, shares of the text around it in HTML
SMALL, DIAGRAM, TEXT, TITLE, HEADING = 9, 9.5, 10, 11, 12
FINE_PRINT, BADGE = "90%", "85%"


@dataclass(frozen=True)
class Theme:
    """The colours of a page: text has at least 4.5:1 on its ground and on boxes."""

    ground: str
    ink: str
    quiet: str
    box: str


LIGHT = Theme("#FFFFFF", INK, QUIET, PAPER)
DARK = Theme("#16181C", "#E9E9E9", "#B4B4B4", "#23262B")

# What a check or a person says of an answer
PASS, FAIL, BLANK, READ = "PASS", "FAIL", "NOT FILLED IN", "READ"
# White words on them have at least 7:1, and they are told apart with any kind of colour vision. A status that isn't
# here says that something isn't there yet: it is an empty frame.
GROUNDS = {PASS: "#00594C", FAIL: "#8C2D04", READ: BLUES[-1]}


def badge_style(status: str) -> str:
    """CSS for a status, wherever it stands: a word on its ground, or in an empty frame."""
    ground = GROUNDS.get(status)
    looks = f"background:{ground};color:#fff;padding:1px 8px" if ground else "border:1px solid;padding:0 7px"
    return f"{looks};border-radius:3px;font-weight:600;font-size:{BADGE};white-space:nowrap"
