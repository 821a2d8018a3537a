"""How people draw a cat."""

from __future__ import annotations

import math

from ..pen import Knot, Pen, mirrored


def cat(pen: Pen) -> None:
    """Mostly a face with ears and whiskers; else a whole cat, sitting, lying or on its legs."""
    pose = pen.pick({_portrait: 0.58, _walking: 0.17, _sitting: 0.12, _lying: 0.1, _upright: 0.03})
    with pen.placed(scale=(pen.pick([-1, 1]), 1)):
        pose(pen)


def _portrait(pen: Pen) -> None:
    with pen.placed(angle=pen.between(-15, 15)):
        _head(pen, whiskers=0.78)


def _sitting(pen: Pen) -> None:
    """Head on a body seen from the front, the tail beside it."""
    r, wide, low = pen.between(0.34, 0.7), pen.between(0.4, 0.75), pen.between(1.2, 1.7)
    with pen.placed(0, -0.6, r):
        _head(pen, whiskers=0.6)
    chin = -0.6 + 0.8 * r
    body = pen.pick({"egg": 0.5, "bell": 0.3, "open": 0.2})
    if body == "egg":
        pen.circle(0, (chin + low) / 2, wide, (low - chin) / 2)
    elif body == "bell":
        half = [(-0.6 * r, chin - 0.05), (-wide, 0.6 * low), (-wide, low)]
        pen.curve(*half, (0, low), *mirrored(half))
    else:
        half = [(-0.5 * r, chin), (-0.7 * wide, 0.5 * low), (-wide, low)]
        pen.curve(*half)
        pen.curve(*mirrored(half)[::-1])
        pen.line(-wide, low, wide, low)
    if pen.chance(0.75):
        tip = (wide + pen.between(0.2, 0.7), low - pen.between(0.8, 1.2))
        pen.curve((0.9 * wide, low - 0.15), (wide + 0.4, low - 0.2), (wide + 0.35, low - 0.7), tip)
    if pen.chance(0.5):
        for x in (-0.2, 0.2):
            pen.line(x, 0.6 * low, x, low)
    if pen.chance(0.25):
        for x in (-0.3, 0.3):
            pen.circle(x, low, 0.18, 0.1)


def _walking(pen: Pen) -> None:
    """The body from the side: head at the right, legs below, tail at the left."""
    long, thick, leg = pen.between(0.7, 1.1), pen.between(0.18, 0.45), pen.between(0.3, 0.75)
    body = pen.pick({"oval": 0.36, "back and belly": 0.2, "box": 0.18, "comb": 0.16, "stick": 0.1})
    belly = {"oval": 0.8 * thick, "stick": 0.0}.get(body, thick)
    if body == "oval":
        pen.circle(0, 0, long, thick)
    elif body == "box":
        pen.box(-long, -thick, long, thick)
    elif body == "back and belly":
        pen.curve((-long, -0.5 * thick), (0, -thick), (long, -thick))
        pen.curve((-long, 0.5 * thick), (0, belly), (long, 0.8 * thick))
    elif body == "stick":
        pen.line(-long, 0, long, 0)
    else:  # back, rump and legs in one stroke
        corners: list[Knot] = [(long, -thick), (-long, -thick)]
        number = pen.count(2, 4)
        for i in range(number):
            x, w = -long + 2 * long * (i + 0.15) / number, 2 * long / number * pen.between(0.25, 0.5)
            corners += [(x, belly), (x, belly + leg), (x + w, belly + leg), (x + w, belly)]
        pen.path(*corners, (long, belly))
    r = pen.between(0.28, 0.55)
    x, y = long + r * pen.between(0.1, 0.8), -thick - r * pen.between(0, 0.8)
    with pen.placed(x, y, r, pen.between(-25, 25)):
        _head(pen, whiskers=0.5)
    if body != "comb":
        thin = pen.chance(0.7)
        for x in (-0.8 * long, -0.5 * long, 0.45 * long, 0.8 * long) if pen.chance(0.7) else (-0.7, 0.7):
            foot, w = x + pen.between(-0.15, 0.15), pen.between(0.06, 0.13)
            if thin:
                pen.line(x, belly - 0.05, foot, belly + leg)
            else:
                pen.path((x - w, belly), (foot - w, belly + leg), (foot + w, belly + leg), (x + w, belly))
    if pen.chance(0.92):
        _tail(pen, -long, -0.2 * thick)
    if pen.chance(0.06):  # a tabby
        for x in (-0.4, -0.1, 0.2):
            pen.line(x * long, -thick, x * long, 0.6 * thick)


def _lying(pen: Pen) -> None:
    """A head at the right, the body an oval or one line behind it, hardly any legs."""
    r = pen.between(0.45, 0.8)
    with pen.placed(0, 0, r, pen.between(-25, 25)):
        _head(pen, whiskers=0.6)
    body = pen.pick({"oval": 0.4, "back": 0.25, "loop": 0.2, "tail only": 0.15})
    long, thick, low = pen.between(0.7, 1.5), pen.between(0.35, 0.8), 0.7 * r
    rump = -r - 0.6 * long
    if body == "oval":
        pen.circle(-0.5 * r - 0.5 * long, low - 0.3 * thick, 0.6 * long, 0.6 * thick)
    elif body == "back":
        pen.curve(
            (-0.6 * r, -0.1 * r), (-0.7 * long, -0.6 * thick), (rump - 0.1 * long, 0.3 * low), (rump, low)
        )
        if pen.chance(0.7):
            pen.line(rump, low, 0, low)
    elif body == "loop":
        below, above = (-0.9 * long, low + 0.8 * thick), (-0.8 * long, low - 0.5 * thick)
        pen.curve((-0.4 * r, 0.7 * r), below, (-r - long, low), above, (-0.7 * r, 0.2 * r))
    if body == "tail only":
        _tail(pen, -0.9 * r, 0.6 * low)
    elif pen.chance(0.65):
        _tail(pen, rump, 0.6 * low)
    for i in range(pen.pick({0: 0.6, 2: 0.25, 4: 0.15})):
        x = -0.3 * r - 0.35 * i
        pen.line(x, low, x - 0.05, low + pen.between(0.15, 0.4))


def _upright(pen: Pen) -> None:
    """A cat as people draw people: body, two arms, two legs."""
    with pen.placed(0, -0.75, pen.between(0.35, 0.55)):
        _head(pen, whiskers=0.6)
    side = 0.0 if pen.chance(0.4) else 0.25
    if side:
        pen.circle(0, 0.1, pen.between(0.25, 0.45), 0.5)
    else:
        pen.line(0, -0.4, 0, 0.5)
    for way in (-1, 1):
        pen.line(way * side, -0.1, way * (side + pen.between(0.3, 0.5)), pen.between(-0.3, 0.3))
        pen.line(way * side, 0.5, way * (side + pen.between(0, 0.3)), 1.1)
    if pen.chance(0.6):
        _tail(pen, -0.2, 0.45)


def _tail(pen: Pen, x: float, y: float) -> None:
    """It leaves the body at (x, y) to the left: a bow, a line, a wave, a sausage or a curl."""
    style = pen.pick({"bow": 0.36, "wave": 0.2, "line": 0.2, "sausage": 0.14, "curl": 0.1})
    with pen.placed(x, y, (pen.between(0.3, 1.3), 1.0)):
        lift, w = pen.between(-0.4, 1.1), pen.between(0.08, 0.16)
        if style == "bow":
            pen.curve((0, 0), (-0.7, -0.2 * lift), (-1, -lift))
        elif style == "line":
            pen.line(0, 0, -1, -lift)
        elif style == "wave":
            pen.curve((0, 0), (-0.4, 0.15), (-0.5, -0.6 * lift), (-1, -lift))
        elif style == "sausage":
            pen.curve((0, -w), (-0.6, -0.3 * lift - w), (-1, -lift), (-0.5, -0.3 * lift + w), (0, w))
        else:
            pen.curve((0, 0), (-1, 0), (-1, -0.6), (-0.6, -0.7), (-0.5, -0.4))


def _head(pen: Pen, whiskers: float) -> None:
    """The head within about -1 to 1, the ears' tips above it; ``whiskers`` is how likely they are."""
    rx, ry = pen.between(0.75, 1.0), pen.between(0.6, 0.9)
    tip: Knot = (pen.between(0.5, 0.95), -pen.between(0.95, 1.45))  # of the right ear
    style = pen.pick({"circle": 0.4, "one stroke": 0.36, "cut circle": 0.16, "box": 0.08})
    if style == "one stroke":
        _outline_with_ears(pen, rx * pen.between(0.95, 1.1), ry, tip)
    elif style == "box":
        half = [(-0.35, -0.6), (-0.75, tip[1]), (-0.8, -0.6), (-0.8, 0.75)]
        pen.path(*half, *mirrored(half), half[0])
    else:
        if style == "circle":
            pen.circle(0, 0, rx, ry)
        else:  # the line stops at the ears
            pen.arc(0, 0, rx, ry, -35, 250)
            pen.arc(0, 0, rx, ry, -110, 40)
        _ears(pen, rx, ry, tip, closed=style == "circle" and pen.chance(0.25))
    # Some turn their head.
    with pen.placed(pen.between(-0.3, 0.3) if pen.chance(0.15) else 0.0):
        _eyes(pen, pen.between(0.25, 0.42) * rx, -pen.between(0.05, 0.35) * ry)
        nose = pen.between(0.1, 0.3) * ry
        _nose_and_mouth(pen, nose, pen.between(0.12, 0.3) * rx)
    if pen.chance(0.05):  # a striped forehead
        for k in (-1, 0, 1):
            pen.line(0.15 * k, -0.95 * ry, 0.12 * k, -0.6 * ry)
    if pen.chance(whiskers):
        _whiskers(pen, rx, nose + 0.05)


def _outline_with_ears(pen: Pen, cheek: float, ry: float, tip: Knot) -> None:
    """Crown, ears and cheeks in one stroke, or the chin in a second one."""
    between_ears = (pen.between(0.2, 0.42), -ry * pen.between(0.55, 0.95))
    crown = [between_ears, (tip[0], tip[1] + pen.between(-0.1, 0.1)), (cheek, 0.0)]
    chin: list[Knot] = {
        "round": [(0.8 * cheek, 0.55 * ry), (0.35, ry)],
        "pointed": [(0.5 * cheek, 0.6 * ry), (0.05, 1.1 * ry)],
        "flat": [(0.9 * cheek, 0.8 * ry), (0.4, ry)],
    }[pen.pick({"round": 0.6, "pointed": 0.2, "flat": 0.2})]
    if pen.chance(0.6):
        pen.path(*mirrored(crown), *crown, *chin, *mirrored(chin), (-cheek, 0))
    else:
        pen.path(*mirrored(crown), *crown)
        pen.curve((cheek, 0), *chin, *mirrored(chin), (-cheek, 0))


def _ears(pen: Pen, rx: float, ry: float, tip: Knot, closed: bool) -> None:
    """Two triangles on a round head, now and then rounded, or with the inner ear."""
    for side in (-1, 1):
        with pen.placed(scale=(side, 1)):
            low, high = math.radians(pen.between(20, 40)), math.radians(pen.between(60, 82))
            a, b = (rx * math.cos(low), -ry * math.sin(low)), (rx * math.cos(high), -ry * math.sin(high))
            x, y = tip[0] + pen.between(-0.1, 0.1), tip[1] + pen.between(-0.1, 0.1)
            if pen.chance(0.17):
                pen.curve(a, (x + 0.1, y + 0.1), (x - 0.15, y), b)
            elif closed:
                pen.polygon(a, (x, y), b)
            else:
                pen.path(a, (x, y), b)
            if pen.chance(0.15):
                pen.path(*[(0.6 * u + 0.4 * x - 0.02, 0.6 * v + 0.4 * y + 0.12) for u, v in (a, (x, y), b)])


def _eyes(pen: Pen, x: float, y: float) -> None:
    style = pen.pick({"dots": 0.3, "circles": 0.26, "none": 0.16, "pupils": 0.12, "slits": 0.1, "shut": 0.06})
    size, high = pen.between(0.07, 0.17), pen.between(0.7, 1.3)
    for side in (-1, 1):
        u = side * x
        if style == "dots":
            pen.dot(u, y, pen.between(0.01, 0.05))
        elif style in ("circles", "pupils"):
            pen.circle(u, y, size, size * high)
        elif style == "shut":
            pen.arc(u, y, size, 0.7 * size, 180, 180)
        if style == "slits" or (style == "pupils" and high > 1):
            pen.line(u, y - size, u, y + size)
        elif style == "pupils":
            pen.dot(u, y)


def _nose_and_mouth(pen: Pen, y: float, wide: float) -> None:
    r = pen.between(0.06, 0.13)
    nose = pen.pick({"triangle": 0.36, "none": 0.3, "dot": 0.18, "circle": 0.16})
    if nose == "triangle":
        pen.polygon((-r, y - r), (r, y - r), (0, y + 0.6 * r))
    elif nose == "dot":
        pen.dot(0, y, 0.03)
    elif nose == "circle":
        pen.circle(0, y, r, 0.8 * r)
    with pen.placed(0, y + r, (wide, 1.0)):
        mouth = pen.pick({"none": 0.36, "w": 0.24, "anchor": 0.16, "smile": 0.16, "line": 0.08})
        if mouth == "w":
            pen.curve((-1, 0.08), (-0.5, 0.2), (0, 0.05), (0.5, 0.2), (1, 0.08))
        elif mouth == "anchor":
            pen.line(0, 0, 0, 0.14)
            pen.arc(0, 0.12, 1, 0.12, 180, -180)
        elif mouth == "smile":
            pen.arc(0, 0, 1.3, 0.22, 170, -160)
        elif mouth == "line":
            pen.line(-1, 0.12, 1, 0.12)


def _whiskers(pen: Pen, rx: float, y: float) -> None:
    """Two to four a side, from the cheek or the nose; some people draw one side only."""
    number = pen.pick({2: 0.35, 3: 0.55, 4: 0.1})
    inner, outer = pen.between(0.15, 0.95) * rx, rx * pen.between(1.15, 1.7)
    if pen.chance(0.25):  # they stay within the face
        outer = max(inner + 0.3, 0.95 * rx)
    gap, fan = pen.between(0.09, 0.2), pen.between(0.0, 0.35)
    for side in pen.pick({(-1, 1): 0.86, (-1,): 0.07, (1,): 0.07}):
        if pen.chance(0.15):  # the pen gets carried away
            outer *= pen.between(1.1, 1.6)
        for i in range(number):
            k = i - (number - 1) / 2
            pen.line(side * inner, y + k * gap, side * outer * pen.between(0.85, 1.1), y + k * (gap + fan))
