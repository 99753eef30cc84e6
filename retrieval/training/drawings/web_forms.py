"""How are forms on web pages drawn?"""

from functools import partial
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.screen_frame import Screen, sentences
from retrieval.training.drawings.sheet import Drawing
from retrieval.training.drawings.words import (
    BUTTONS,
    FIELDS,
    HEADLINES,
    NAMES,
    TOPICS,
    Words,
    article,
    number,
)


def _web_form(rng: Random, fonts: Fonts, *, steps: bool) -> Drawing:
    """``steps``, held out: a form in stages with a bar of them above."""
    scr = Screen(rng, fonts, menu_share=0.3, aspects=(0.75, 1.0, 1.33))
    s, u = scr.s, scr.s.u
    y = scr.heading(s.pick(HEADLINES), False) + 2 * u
    left, right = scr.x0 + 6 * u, scr.x1 - 6 * u
    if steps:
        for i in range(4):
            x = left + (right - left) * (i + 0.5) / 4
            s.line([(left, y), (right, y)], s.theme.line, 0.6) if i == 0 else None
            s.round(x, y, 3 * u, fill=scr.accent.rgb if i < 2 else s.theme.line)
            s.text(x, y, str(i + 1), 3, (255, 255, 255), anchor="mm", bold=True)
        y += 9 * u
    columns = s.pick((1, 1, 2)) if not steps else 2
    fields = 0
    while y < scr.y1 - 22 * u:
        for c in range(columns):
            x0 = left + (right - left) * c / columns
            x1 = left + (right - left) * (c + 1) / columns - (3 * u if columns > 1 else 0)
            s.text(x0, y, s.say(s.pick(FIELDS)), 3)
            kind = s.pick(("text", "text", "list", "ticks"))
            if kind == "ticks":
                for i in range(3):
                    x = x0 + i * (x1 - x0) / 3
                    s.round(x + 1.6 * u, y + 5.4 * u, 1.5 * u, outline=s.theme.muted)
                    if i == 0:
                        s.round(x + 1.6 * u, y + 5.4 * u, 0.8 * u, fill=scr.accent.rgb)
                    s.text(x + 4.4 * u, y + 5.4 * u, s.say(s.pick(TOPICS)), 2.7, width=(x1 - x0) / 3 - 5 * u)
            else:
                s.box(x0, y + 2.4 * u, x1, y + 8.4 * u, fill=s.theme.paper, outline=s.theme.muted, radius=1)
                if kind == "list":
                    s.shape(
                        [(x1 - 4 * u, y + 4.6 * u), (x1 - 2 * u, y + 4.6 * u), (x1 - 3 * u, y + 6.2 * u)],
                        fill=s.theme.muted,
                    )
                elif s.chance(0.5):
                    s.text(x0 + 2 * u, y + 5.4 * u, s.say(s.pick(NAMES)), 2.8)
            fields += 1
        y += 12.5 * u
    scr.button(left + 9 * u, scr.y1 - 8 * u, s.pick(BUTTONS))
    scr.button(left + 30 * u, scr.y1 - 8 * u, BUTTONS[1], plain=True)
    count = number(fields)
    return scr.done(
        sentences(
            scr,
            Words("a web form", "网页表单"),
            Words(
                f"with {count.en} fields and {article(scr.accent.name.en)} button",
                f"含{count.zh}个字段和{scr.accent.name.zh}按钮",
            ),
        ),
        fields=fields,
        colours=[scr.accent.name.en],
    )


def renderers() -> list[Renderer]:
    return [
        Renderer("web-form-plain", "web form", "screenshot", partial(_web_form, steps=False), False, 1.3),
        Renderer("web-form-steps", "web form", "screenshot", partial(_web_form, steps=True), True, 1.0),
    ]
