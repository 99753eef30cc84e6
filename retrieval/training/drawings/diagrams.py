"""How are diagrams drawn: flows, organisation charts, sequences, networks, mind maps, timelines, Gantt charts?"""

import math
from functools import partial
from itertools import pairwise
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import Colour, Rgb, mixed, readable_on
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.words import (
    DEPARTMENTS,
    EVENTS,
    MESSAGES,
    MONTHS,
    PROCESSES,
    QUESTIONS,
    ROLES,
    STEPS,
    SYSTEMS,
    TASKS,
    TOPICS,
    WEEKDAYS,
    Words,
    number,
)


class _Pen:
    """How a diagram's nodes look: filled, tinted or outlined, alike all through one picture."""

    def __init__(self, s: Sheet, colour: Colour) -> None:
        self.s = s
        self.colour = colour
        manner = s.pick(("outline", "tint", "tint", "fill"))
        self.fill: Rgb | None = {
            "outline": None,
            "tint": mixed(s.theme.paper, colour.rgb, 0.22),
            "fill": colour.rgb,
        }[manner]
        self.edge: Rgb = s.theme.ink if manner == "outline" or s.chance(0.3) else colour.rgb
        self.ink: Rgb = readable_on(colour.rgb) if manner == "fill" else s.theme.ink
        self.radius = s.pick((0.0, 0.0, 1.5, 4.0))
        self.size = s.between(3.4, 4.4)

    def node(self, x: float, y: float, w: float, h: float, words: str, shape: str = "box") -> None:
        s = self.s
        if shape == "question":
            s.shape(
                [(x, y - h / 2), (x + w / 2, y), (x, y + h / 2), (x - w / 2, y)],
                fill=self.fill,
                outline=self.edge,
                width=0.5,
            )
        elif shape == "end":
            s.box(
                x - w / 2,
                y - h / 2,
                x + w / 2,
                y + h / 2,
                fill=self.fill,
                outline=self.edge,
                width=0.5,
                radius=20,
            )
        elif shape == "data":
            lean = h * 0.3
            s.shape(
                [
                    (x - w / 2 + lean, y - h / 2),
                    (x + w / 2, y - h / 2),
                    (x + w / 2 - lean, y + h / 2),
                    (x - w / 2, y + h / 2),
                ],
                fill=self.fill,
                outline=self.edge,
                width=0.5,
            )
        else:
            s.box(
                x - w / 2,
                y - h / 2,
                x + w / 2,
                y + h / 2,
                fill=self.fill,
                outline=self.edge,
                width=0.5,
                radius=self.radius,
            )
        s.text(
            x, y, words, self.size, self.ink, anchor="mm", width=w * (0.6 if shape == "question" else 0.94)
        )


def _flow(rng: Random, fonts: Fonts, *, rough: bool = False) -> Drawing:
    s = Sheet(
        rng,
        fonts,
        aspect=rng.choice((0.5, 0.66, 0.75, 1.0, 1.33, 1.78, 2.4)),
        dark_share=0.08,
        kind="hand" if rough else "sans",
    )
    if rough:
        s.shake = 0.35
    pen = _Pen(s, s.pick(s.palette))
    process = s.pick(PROCESSES)
    across = s.w > s.h * 1.2
    length = (s.w if across else s.h) / s.u
    steps = max(3, min(7, int(length / (30 if across else 21))))
    asked = steps > 3 and s.chance(0.75)
    question = s.rng.randrange(1, steps - 1) if asked else -1
    named = s.some(STEPS[1:-1], steps)
    top = 4.0 * s.u
    if s.chance(0.4):
        s.text(s.w / 2, 4 * s.u, s.say(process).capitalize(), 5, anchor="mt", bold=True)
        top = 12 * s.u
    room_x, room_y = s.w - 8 * s.u, s.h - top - 4 * s.u
    step = (room_x if across else room_y) / steps
    branch = asked and s.chance(0.8)
    middle = (
        (top + room_y * 0.4)
        if across and branch
        else (top + room_y / 2)
        if across
        else s.w * (0.38 if branch else 0.5)
    )
    w = step * 0.68 if across else min(42 * s.u, s.w * 0.42)
    h = min(16 * s.u, room_y * 0.3) if across else step * 0.58
    places = [
        (4 * s.u + step * (i + 0.5), middle) if across else (middle, top + step * (i + 0.5))
        for i in range(steps)
    ]
    line = s.theme.ink if s.chance(0.6) else s.theme.muted
    for (x0, y0), (x1, y1) in pairwise(places):
        if across:
            s.arrow([(x0 + w / 2, y0), (x1 - w / 2, y1)], line)
        else:
            s.arrow([(x0, y0 + h / 2), (x1, y1 - h / 2)], line)
    for i, (x, y) in enumerate(places):
        shape = "box"
        words = s.say(named[i])
        if i == question:
            shape, words = "question", s.say(s.pick(QUESTIONS))
        elif i == 0:
            shape, words = "end", s.say(STEPS[0])
        elif i == steps - 1:
            shape, words = "end", s.say(STEPS[-1])
        elif s.chance(0.15):
            shape = "data"
        pen.node(x, y, w, h * (1.25 if shape == "question" else 1), words, shape)
    if branch:
        x, y = places[question]
        yes, no = (Words("yes", "是"), Words("no", "否"))
        if across:
            below = s.h - 14 * s.u
            s.arrow([(x, y + h * 0.62), (x, below - h * 0.4)], line)
            pen.node(x, below, w, h * 0.8, s.say(s.pick(STEPS)))
            s.text(x + 1.5 * s.u, y + h * 0.62 + 3 * s.u, s.say(no), 3)
            s.line([(x - w / 2, below), (places[question - 1][0], below)], line)
            s.arrow([(places[question - 1][0], below), (places[question - 1][0], y + h / 2)], line)
        else:
            side = s.w - min(20 * s.u, s.w * 0.2)
            s.arrow([(x + w / 2, y), (side - w * 0.36, y)], line)
            pen.node(side, y, w * 0.7, h * 0.85, s.say(s.pick(STEPS)))
            s.text(x + w / 2 + s.u, y - 2 * s.u, s.say(no), 3)
            s.text(x + 1.5 * s.u, y + h * 0.8, s.say(yes), 3)
            back = places[question - 1][1]
            s.line([(side, y - h * 0.43), (side, back)], line)
            s.arrow([(side, back), (x + w / 2, back)], line)
    way = Words("from left to right", "从左到右") if across else Words("from top to bottom", "从上到下")
    count = number(steps)
    drawn = Words("hand-drawn ", "手绘") if rough else Words("", "")
    sentences = [
        Words(f"a {drawn.en}flow diagram of {process.en}", f"{drawn.zh}{process.zh}流程图"),
        Words(
            f"a flow diagram with {count.en} steps {way.en}, joined by arrows",
            f"{way.zh}的流程图,{count.zh}个步骤由箭头连接",
        ),
    ]
    if asked:
        sentences.append(Words("a flow chart with a decision diamond", "带菱形判断框的流程图"))
    return s.done(sentences, steps=steps, decision=asked, colours=[pen.colour.name.en])


def _lanes(rng: Random, fonts: Fonts) -> Drawing:
    """Held out: a flow through swim lanes."""
    s = Sheet(rng, fonts, aspect=rng.choice((1.33, 1.6, 1.9)))
    process, lanes = s.pick(PROCESSES), s.pick((2, 3, 4))
    colours = [s.palette[i % len(s.palette)] for i in range(lanes)]
    departments = s.some(DEPARTMENTS, lanes)
    s.box(0, 0, s.w, 9 * s.u, fill=(64, 72, 88))
    s.text(s.w / 2, 4.5 * s.u, s.say(process).capitalize(), 5, (255, 255, 255), anchor="mm", bold=True)
    tall = (s.h - 11 * s.u) / lanes
    for i in range(lanes):
        y = 10 * s.u + i * tall
        s.box(
            2 * s.u,
            y,
            s.w - 2 * s.u,
            y + tall,
            outline=s.theme.muted,
            fill=mixed((255, 255, 255), colours[i].rgb, 0.1),
        )
        s.box(2 * s.u, y, 10 * s.u, y + tall, fill=colours[i].rgb)
        s.turned(6 * s.u, y + tall / 2, s.say(departments[i]), 3.6, readable_on(colours[i].rgb))
    steps = s.pick((4, 5, 6))
    dx = (s.w - 14 * s.u) / steps
    lane = 0
    last: tuple[float, float] | None = None
    for i, words in enumerate(s.some(STEPS, steps)):
        lane = 0 if i == 0 else s.rng.randrange(lanes)
        x, y = 12 * s.u + dx * (i + 0.5), 10 * s.u + tall * (lane + 0.5)
        if last:
            turn = (last[0] + x) / 2
            s.arrow(
                [(last[0] + dx * 0.36, last[1]), (turn, last[1]), (turn, y), (x - dx * 0.36, y)], (40, 40, 40)
            )
        s.box(
            x - dx * 0.36,
            y - tall * 0.24,
            x + dx * 0.36,
            y + tall * 0.24,
            fill=(255, 255, 255),
            outline=(40, 40, 40),
            radius=2,
        )
        s.text(x, y, s.say(words), 3.4, (20, 20, 20), anchor="mm", width=dx * 0.68)
        last = (x, y)
    count = number(lanes)
    return s.done(
        [
            Words(f"a flow diagram of {process.en} in swim lanes", f"{process.zh}的泳道流程图"),
            Words(f"a flow diagram across {count.en} departments", f"跨{count.zh}个部门的流程图"),
        ],
        steps=steps,
        lanes=lanes,
    )


def _organisation(rng: Random, fonts: Fonts, *, cards: bool) -> Drawing:
    s = Sheet(rng, fonts, aspect=rng.choice((1.2, 1.5, 1.8, 2.2)), dark_share=0.05)
    pen = _Pen(s, s.pick(s.palette))
    below = s.pick((2, 3, 4, 5))
    levels = 3 if s.chance(0.7) else 2
    leaves = [s.pick((1, 2, 2, 3)) if levels == 3 else 0 for _ in range(below)]
    top = 4 * s.u
    if s.chance(0.4):
        s.text(s.w / 2, 3 * s.u, s.say(Words("Organisation", "组织结构图")), 5, anchor="mt", bold=True)
        top = 11 * s.u
    w = min(34 * s.u, (s.w - 6 * s.u) / below * 0.84)
    h = min(15 * s.u, (s.h - top) / (levels + (1.5 if levels == 3 else 0.5)) * 0.62)
    y0, y1 = top + h / 2, top + h * 2.3
    line = s.theme.muted

    def person(x: float, y: float, words: Words) -> None:
        if cards:
            s.box(
                x - w / 2,
                y - h / 2,
                x + w / 2,
                y + h / 2,
                fill=(255, 255, 255),
                outline=s.theme.line,
                radius=2,
            )
            s.box(x - w / 2, y - h / 2, x + w / 2, y - h / 2 + 1.4 * s.u, fill=pen.colour.rgb)
            r = min(h * 0.3, w * 0.16)
            s.round(x - w / 2 + r * 1.5, y, r, fill=mixed(pen.colour.rgb, (255, 255, 255), 0.4))
            s.round(x - w / 2 + r * 1.5, y - r * 0.25, r * 0.42, fill=(255, 255, 255))
            s.text(x - w / 2 + r * 2.9, y - h * 0.12, s.say(words), 3.2, (30, 30, 30), width=w - r * 3)
            s.text(x - w / 2 + r * 2.9, y + h * 0.22, s.prose(10), 2.6, (120, 120, 120), width=w - r * 3)
        else:
            pen.node(x, y, w, h, s.say(words))

    xs = [3 * s.u + (s.w - 6 * s.u) * (i + 0.5) / below for i in range(below)]
    bar = (y0 + y1) / 2
    s.line([(s.w / 2, y0), (s.w / 2, bar)], line)
    s.line([(xs[0], bar), (xs[-1], bar)], line)
    names = s.some(DEPARTMENTS, below)
    for x, name, count in zip(xs, names, leaves, strict=True):
        s.line([(x, bar), (x, y1)], line)
        for i in range(count):
            y = y1 + h * 1.15 * (i + 1) + h * 0.25
            if y + h / 2 > s.h:
                break
            s.line([(x - w * 0.44, y1), (x - w * 0.44, y), (x - w * 0.3, y)], line)
            person(x + w * 0.04, y, s.pick(ROLES))
        person(x, y1, name)
    person(s.w / 2, y0, ROLES[0])
    count_words = number(below)
    return s.done(
        [
            Words("an organisation chart of a company", "公司组织结构图"),
            Words(
                f"an organisation chart with one box on top and {count_words.en} departments below",
                f"组织结构图,顶部一个方框,下设{count_words.zh}个部门",
            ),
            Words(
                f"a hierarchy of {levels} levels, in {pen.colour.name.en}",
                f"{pen.colour.name.zh}的{number(levels).zh}级层次结构图",
            ),
        ],
        departments=below,
        levels=levels,
        colours=[pen.colour.name.en],
    )


def _sequence(rng: Random, fonts: Fonts, *, dark: bool) -> Drawing:
    s = Sheet(rng, fonts, aspect=rng.choice((0.9, 1.2, 1.5)), dark_share=1.0 if dark else 0.0)
    pen = _Pen(s, s.pick(s.palette))
    actors = s.some(SYSTEMS, s.pick((3, 4) if dark else (2, 3, 4, 5)))
    count = s.pick((4, 5, 6, 8))
    w = min(26 * s.u, s.w / len(actors) * 0.8)
    h = 10 * s.u
    xs = [s.w * (i + 0.5) / len(actors) for i in range(len(actors))]
    for x, actor in zip(xs, actors, strict=True):
        s.dashed((x, 3 * s.u + h), (x, s.h - (14 if dark else 3) * s.u), s.theme.muted)
        pen.node(x, 3 * s.u + h / 2, w, h, s.say(actor))
        if dark:
            pen.node(x, s.h - 3 * s.u - h / 2, w, h, s.say(actor))
    dy = (s.h - (32 if dark else 20) * s.u) / count
    for i in range(count):
        y = 18 * s.u + dy * (i + 0.4)
        a = s.rng.randrange(len(actors) - 1)
        b = a + s.pick((1, 1, 1, len(actors) - 1 - a))
        start, end = (xs[a], xs[b]) if s.chance(0.55) else (xs[b], xs[a])
        if s.chance(0.4):
            s.box(
                end - s.u, y - s.u, end + s.u, y + dy * 0.7, fill=pen.fill or s.theme.panel, outline=pen.edge
            )
        if start > end:
            s.dashed((start, y), (end + 2 * s.u, y), s.theme.ink)
            s.arrow([(end + 2 * s.u, y), (end, y)], s.theme.ink)
        else:
            s.arrow([(start, y), (end, y)], s.theme.ink)
        s.text((start + end) / 2, y - 0.8 * s.u, s.say(s.pick(MESSAGES)), 3.2, anchor="mb")
    many = number(len(actors))
    return s.done(
        [
            Words(
                f"a sequence diagram between {actors[0].en} and {actors[1].en}",
                f"{actors[0].zh}与{actors[1].zh}之间的时序图",
            ),
            Words(
                f"a sequence diagram with {many.en} life lines and arrows between them",
                f"含{many.zh}条生命线和消息箭头的时序图",
            ),
        ],
        actors=len(actors),
        messages=count,
    )


def _device(s: Sheet, x: float, y: float, r: float, kind: str, rgb: Rgb) -> None:
    """A pictogram: server, database, cloud or computer."""
    light = mixed(rgb, (255, 255, 255), 0.55)
    if kind == "server":
        s.box(x - r * 0.7, y - r, x + r * 0.7, y + r, fill=rgb, radius=1)
        for i in range(3):
            s.box(x - r * 0.5, y - r * 0.75 + i * r * 0.5, x + r * 0.5, y - r * 0.5 + i * r * 0.5, fill=light)
    elif kind == "database":
        s.box(x - r * 0.75, y - r * 0.7, x + r * 0.75, y + r * 0.7, fill=rgb)
        s.round(x, y + r * 0.7, r * 0.75, r * 0.3, fill=rgb)
        s.round(x, y - r * 0.7, r * 0.75, r * 0.3, fill=light)
    elif kind == "cloud":
        for dx, dy, size in ((-0.6, 0.2, 0.5), (0.0, -0.15, 0.7), (0.65, 0.2, 0.5)):
            s.round(x + dx * r, y + dy * r, size * r, fill=rgb)
        s.box(x - r * 0.6, y + r * 0.1, x + r * 0.65, y + r * 0.7, fill=rgb)
    else:
        s.box(x - r, y - r * 0.75, x + r, y + r * 0.4, fill=rgb, radius=1)
        s.box(x - r * 0.82, y - r * 0.57, x + r * 0.82, y + r * 0.22, fill=light)
        s.box(x - r * 0.4, y + r * 0.6, x + r * 0.4, y + r * 0.8, fill=rgb)


def _network(rng: Random, fonts: Fonts, *, kind: str) -> Drawing:
    """``graph``: circles and lines; ``devices``: pictograms about a hub; held out, ``tiers``: boxes in boxes."""
    s = Sheet(
        rng, fonts, aspect=rng.choice((1.0, 1.25, 1.5, 1.8)), dark_share=0.15 if kind == "graph" else 0.0
    )
    colour = s.pick(s.palette)
    if kind == "tiers":
        return _tiers(s, colour)
    count = s.pick((5, 6, 7, 8, 9)) if kind == "devices" else s.pick((6, 9, 12, 18))
    x0, y0 = s.w / 2, s.h / 2
    hub = kind == "devices" or s.chance(0.4)
    places: list[tuple[float, float]] = [(x0, y0)] if hub else []
    turn = s.between(0, math.tau)
    while len(places) < count:
        i = len(places)
        if hub:
            angle = turn + math.tau * i / (count - 1)
            places.append((x0 + s.w * 0.38 * math.cos(angle), y0 + s.h * 0.37 * math.sin(angle)))
        else:
            # The farthest of a few places, so that nodes keep apart.
            tries = [(s.between(0.08, 0.92) * s.w, s.between(0.08, 0.92) * s.h) for _ in range(12)]
            places.append(max(tries, key=lambda p: min((math.dist(p, q) for q in places), default=0.0)))
    links: set[tuple[int, int]] = set()
    for i in range(1, count):
        near = 0 if hub else min(range(i), key=lambda j: math.dist(places[i], places[j]))
        links.add((near, i))
        if not hub and s.chance(0.5) and i > 2:
            links.add((s.rng.randrange(i), i))
    for a, b in sorted(links):
        s.line([places[a], places[b]], s.theme.muted, 0.5)
    colours = s.colours(s.pick((1, 3)))
    for i, (x, y) in enumerate(places):
        rgb = colours[i % len(colours)].rgb
        if kind == "devices":
            device = (
                "cloud"
                if i == 0 and s.chance(0.6)
                else s.pick(("server", "database", "computer", "computer"))
            )
            s.box(x - 8 * s.u, y - 8 * s.u, x + 8 * s.u, y + 8 * s.u, fill=s.theme.paper)
            _device(s, x, y, (9 if i == 0 else 6.5) * s.u, device, rgb)
            s.text(x, y + 10.5 * s.u, s.say(s.pick(SYSTEMS)), 3.2, anchor="mm")
        else:
            r = s.between(2.5, 6.5) * s.u
            s.round(x, y, r, fill=rgb, outline=s.theme.paper)
            if r > 4 * s.u:
                s.text(
                    x,
                    y,
                    s.say(s.pick(SYSTEMS))[: 6 if s.language == "en" else 3],
                    2.6,
                    readable_on(rgb),
                    anchor="mm",
                )
    many = number(count)
    shape = Words("a star around a hub", "星形") if hub else Words("a web of links", "网状")
    what = Words("computers and servers", "计算机和服务器") if kind == "devices" else Words("nodes", "节点")
    return s.done(
        [
            Words(f"a network diagram of {what.en} joined by lines", f"由连线相连的{what.zh}网络图"),
            Words(
                f"a network diagram with {many.en} nodes in {shape.en}",
                f"含{many.zh}个节点的{shape.zh}网络拓扑图",
            ),
        ],
        nodes=count,
        hub=hub,
    )


def _tiers(s: Sheet, colour: Colour) -> Drawing:
    tiers = s.pick((2, 3))
    width = (s.w - 6 * s.u) / tiers
    total = 0
    last: list[tuple[float, float]] = []
    for t in range(tiers):
        x0 = 3 * s.u + t * width
        s.box(
            x0 + s.u,
            4 * s.u,
            x0 + width - 5 * s.u,
            s.h - 4 * s.u,
            fill=mixed((255, 255, 255), colour.rgb, 0.12),
            outline=colour.rgb,
        )
        s.text(
            x0 + width / 2 - 2 * s.u, 7 * s.u, s.say(s.pick(TOPICS)), 3.4, colour.rgb, anchor="mm", bold=True
        )
        count = s.pick((1, 2, 3))
        total += count
        here = []
        for i in range(count):
            x, y = x0 + width / 2 - 2 * s.u, 10 * s.u + (s.h - 18 * s.u) * (i + 0.5) / count
            here.append((x, y))
            _device(
                s, x, y - 2 * s.u, 6 * s.u, s.pick(("server", "database", "cloud")), s.pick(s.palette).rgb
            )
            s.text(x, y + 7 * s.u, s.say(s.pick(SYSTEMS)), 3, anchor="mm")
        for a in last:
            for b in here:
                s.arrow([(a[0] + 8 * s.u, a[1]), (b[0] - 8 * s.u, b[1])], (70, 70, 70))
        last = here
    many = number(tiers)
    return s.done(
        [
            Words(f"a network diagram of servers in {many.en} zones", f"分{many.zh}个区域的服务器网络架构图"),
            Words(
                "a network diagram with arrows between servers and databases",
                "服务器与数据库之间有箭头的网络图",
            ),
        ],
        nodes=total,
    )


def _mind_map(rng: Random, fonts: Fonts, *, boxed: bool) -> Drawing:
    s = Sheet(rng, fonts, aspect=rng.choice((1.2, 1.5, 1.8)), dark_share=0.12)
    topic, *branches = s.some(TOPICS, s.pick((4, 5, 6, 7)))
    colours = [s.palette[i % len(s.palette)] for i in range(len(branches))]
    x0, y0 = (s.w / 2, s.h / 2) if not boxed else (16 * s.u, s.h / 2)
    left = [] if boxed else branches[: len(branches) // 2]
    right = branches[len(left) :]
    leaves = 0
    for side, group in ((-1, left), (1, right)):
        for i, branch in enumerate(group):
            colour = colours[branches.index(branch)].rgb
            y = s.h * (i + 0.5) / len(group)
            x = x0 + side * s.w * (0.24 if not boxed else 0.3)
            if boxed:
                s.line([(x0, y0), ((x0 + x) / 2, y0), ((x0 + x) / 2, y), (x, y)], colour, 0.6)
            else:
                s.curve((x0, y0), (x, y), colour, 1.2)
            count = s.pick((1, 2, 3))
            reach = s.h / len(group) * 0.7
            for j in range(count):
                ly = y + reach * ((j + 0.5) / count - 0.5)
                lx = x + side * s.w * (0.13 if not boxed else 0.26)
                s.curve((x, y), (lx, ly), colour, 0.6)
                s.text(lx + side * s.u, ly, s.say(s.pick(TASKS)), 3, anchor="lm" if side > 0 else "rm")
                leaves += 1
            size = s.width_of(s.say(branch), 3.4) / 2 + 2 * s.u
            if boxed:
                s.box(
                    x - size,
                    y - 4 * s.u,
                    x + size,
                    y + 4 * s.u,
                    fill=mixed(s.theme.paper, colour, 0.2),
                    outline=colour,
                )
                s.text(x, y, s.say(branch), 3.4, anchor="mm")
            else:
                s.box(x - size, y - 4 * s.u, x + size, y + 4 * s.u, fill=colour, radius=4)
                s.text(x, y, s.say(branch), 3.4, readable_on(colour), anchor="mm")
    middle = s.pick(s.palette).rgb
    size = s.width_of(s.say(topic), 4.6, bold=True) / 2 + 4 * s.u
    if boxed:
        s.box(x0 - size, y0 - 7 * s.u, x0 + size, y0 + 7 * s.u, fill=middle)
    else:
        s.round(x0, y0, size, 9 * s.u, fill=middle)
    s.text(x0, y0, s.say(topic), 4.6, readable_on(middle), anchor="mm", bold=True)
    many = number(len(branches))
    return s.done(
        [
            Words(f"a mind map about {topic.en.lower()}", f"关于{topic.zh}的思维导图"),
            Words(f"a mind map with {many.en} coloured branches", f"含{many.zh}个彩色分支的思维导图"),
        ],
        branches=len(branches),
        leaves=leaves,
    )


def _timeline(rng: Random, fonts: Fonts, *, upright: bool) -> Drawing:
    s = Sheet(
        rng,
        fonts,
        aspect=rng.choice((0.6, 0.75, 1.0)) if upright else rng.choice((1.5, 2.0, 2.6)),
        dark_share=0.1,
    )
    count = s.pick((3, 4, 5, 6))
    colours = s.colours(count) if s.chance(0.5) else s.colours(1) * count
    start = s.rng.randrange(1990, 2015)
    stops = []
    for i in range(count):
        stops.append(start + i * s.pick((1, 2, 3)))
    stops = sorted({*stops})
    count = len(stops)
    events = s.some(EVENTS, count)
    if upright:
        x = s.pick((0.2, 0.5)) * s.w
        s.line([(x, 4 * s.u), (x, s.h - 4 * s.u)], s.theme.muted, 0.8)
    else:
        y = s.pick((0.3, 0.5)) * s.h
        s.line([(3 * s.u, y), (s.w - 3 * s.u, y)], s.theme.muted, s.pick((0.8, 2.0)))
    alternate = s.chance(0.5)
    for i, (year, event) in enumerate(zip(stops, events, strict=True)):
        rgb = colours[i].rgb
        if upright:
            y = s.h * (i + 0.5) / count
            side = -1 if x > 0.4 * s.w and i % 2 else 1
            s.round(x, y, 2.6 * s.u, fill=rgb, outline=s.theme.paper)
            anchor = "l" if side > 0 else "r"
            s.text(x + side * 5 * s.u, y - 3.5 * s.u, str(year), 5, rgb, anchor=f"{anchor}m", bold=True)
            s.text(x + side * 5 * s.u, y + 1.5 * s.u, s.say(event), 3.6, anchor=f"{anchor}m")
        else:
            x = s.w * (i + 0.5) / count
            up = alternate and i % 2 == 1
            s.round(x, y, 2.8 * s.u, fill=rgb, outline=s.theme.paper, width=0.8)
            side = -1 if up else 1
            s.line([(x, y + side * 3 * s.u), (x, y + side * 9 * s.u)], rgb, 0.5)
            s.text(x, y + side * 13 * s.u, str(year), 5, rgb, anchor="mm", bold=True)
            s.text(x, y + side * 19 * s.u, s.say(event), 3.8, anchor="mm", width=s.w / count * 0.95)
            s.text(
                x, y + side * 24 * s.u, s.prose(16), 2.6, s.theme.muted, anchor="mm", width=s.w / count * 0.85
            )
    many = number(count)
    way = Words("vertical", "纵向") if upright else Words("horizontal", "横向")
    return s.done(
        [
            Words(f"a timeline from {stops[0]} to {stops[-1]}", f"{stops[0]}年至{stops[-1]}年的时间线"),
            Words(f"a {way.en} timeline with {many.en} events", f"含{many.zh}个事件的{way.zh}时间轴"),
        ],
        events=count,
    )


def _gantt(rng: Random, fonts: Fonts, *, dark: bool) -> Drawing:
    s = Sheet(rng, fonts, aspect=rng.choice((1.4, 1.8, 2.2)), dark_share=1.0 if dark else 0.05)
    count = s.pick((5, 6, 7, 8, 10))
    columns = list(s.pick((MONTHS, WEEKDAYS)))[: s.pick((6, 7, 10, 12))]
    tasks = s.some(TASKS, count)
    left, top = s.pick((22, 28)) * s.u, 12 * s.u
    dx, dy = (s.w - left - 3 * s.u) / len(columns), (s.h - top - 3 * s.u) / count
    colours = s.colours(s.pick((1, 2, 3)))
    for i, column in enumerate(columns):
        x = left + i * dx
        if not dark or i % 2:
            s.box(x, 4 * s.u, x + dx, top, fill=s.theme.panel, outline=None if dark else s.theme.line)
        s.text(x + dx / 2, 8 * s.u, s.say(column), 3.2, s.theme.muted, anchor="mm")
        s.line([(x, top), (x, s.h - 3 * s.u)], s.theme.line, 0.3)
    at = 0.0
    arrows = s.chance(0.3)
    last: tuple[float, float] | None = None
    for i, task in enumerate(tasks):
        y = top + (i + 0.5) * dy
        if not dark:
            s.line([(2 * s.u, y + dy / 2), (s.w - 3 * s.u, y + dy / 2)], s.theme.line, 0.3)
        s.text(3 * s.u, y, s.say(task), 3.6, width=left - 5 * s.u)
        length = s.between(1.2, 3.2)
        begin = min(at, len(columns) - length)
        x0, x1 = left + begin * dx, left + (begin + length) * dx
        rgb = colours[i % len(colours)].rgb
        s.box(x0, y - dy * 0.3, x1, y + dy * 0.3, fill=rgb, radius=4 if dark else 0.6)
        if s.chance(0.3):
            s.box(
                x0,
                y - dy * 0.3,
                x0 + (x1 - x0) * s.between(0.2, 0.8),
                y + dy * 0.3,
                fill=mixed(rgb, (0, 0, 0), 0.3),
            )
        if arrows and last:
            s.arrow([last, (last[0], y - dy * 0.34)], s.theme.muted, 0.4, 1.6)
        last = (x1 - s.u, y + dy * 0.3)
        at = begin + length * s.between(0.4, 1.0)
    if s.chance(0.3):
        x = left + s.between(0.2, 0.8) * (s.w - left)
        s.line([(x, top), (x, s.h - 3 * s.u)], (220, 50, 50), 0.5)
    many = number(count)
    named = Words(", ".join(c.name.en for c in colours), "、".join(c.name.zh for c in colours))
    return s.done(
        [
            Words(f"a Gantt chart of a project with {many.en} tasks", f"含{many.zh}项任务的项目甘特图"),
            Words(f"a Gantt chart with bars in {named.en}", f"条形为{named.zh}的甘特图"),
        ],
        tasks=count,
    )


def renderers() -> list[Renderer]:
    return [
        Renderer("flow-boxes", "flow diagram", "diagram", _flow, False, 2.4),
        Renderer("flow-rough", "flow diagram", "diagram", partial(_flow, rough=True), False, 0.6),
        Renderer("flow-lanes", "flow diagram", "diagram", _lanes, True, 2.0),
        Renderer(
            "organisation-boxes",
            "organisation chart",
            "diagram",
            partial(_organisation, cards=False),
            False,
            1.6,
        ),
        Renderer(
            "organisation-cards",
            "organisation chart",
            "diagram",
            partial(_organisation, cards=True),
            True,
            1.6,
        ),
        Renderer("sequence-light", "sequence diagram", "diagram", partial(_sequence, dark=False), False, 1.2),
        Renderer("sequence-dark", "sequence diagram", "diagram", partial(_sequence, dark=True), True, 1.2),
        Renderer("network-graph", "network diagram", "diagram", partial(_network, kind="graph"), False, 0.8),
        Renderer(
            "network-devices", "network diagram", "diagram", partial(_network, kind="devices"), False, 0.9
        ),
        Renderer("network-tiers", "network diagram", "diagram", partial(_network, kind="tiers"), True, 1.6),
        Renderer("mind-map-curved", "mind map", "diagram", partial(_mind_map, boxed=False), False, 1.4),
        Renderer("mind-map-boxed", "mind map", "diagram", partial(_mind_map, boxed=True), True, 1.4),
        Renderer("timeline-across", "timeline", "diagram", partial(_timeline, upright=False), False, 1.2),
        Renderer("timeline-upright", "timeline", "diagram", partial(_timeline, upright=True), True, 1.2),
        Renderer("gantt-light", "Gantt chart", "diagram", partial(_gantt, dark=False), False, 1.2),
        Renderer("gantt-dark", "Gantt chart", "diagram", partial(_gantt, dark=True), True, 1.2),
    ]
