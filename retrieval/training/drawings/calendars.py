"""How are calendars drawn, by month and by week?"""

import calendar
from functools import partial
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import readable_on
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.words import (
    EVENTS,
    MONTHS,
    TASKS,
    WEEKDAYS,
    Words,
)


def _calendar(rng: Random, fonts: Fonts, *, week: bool) -> Drawing:
    """A month of days; ``week``, held out: hours by days with blocks."""
    s = Sheet(rng, fonts, aspect=rng.choice((1.0, 1.33, 1.6)), dark_share=0.15)
    u, colour = s.u, s.pick(s.palette)
    top, left = (20.0 if not week else 12.0) * u, (3.0 if not week else 11.0) * u
    dx = (s.w - left - 3 * u) / 7
    events = 0
    monday = s.chance(0.7)
    days = WEEKDAYS if monday else (WEEKDAYS[-1], *WEEKDAYS[:-1])
    month = s.rng.randrange(12)
    year = s.rng.randrange(2015, 2028)
    if week:
        rows = s.pick((8, 10, 12))
        dy = (s.h - top - 2 * u) / rows
        for r in range(rows):
            s.text(left - u, top + r * dy, f"{8 + r}:00", 2.8, s.theme.muted, anchor="rm")
            s.line([(left, top + r * dy), (s.w - 3 * u, top + r * dy)], s.theme.line, 0.3)
        for i, day in enumerate(days):
            x = left + i * dx
            s.text(x + dx / 2, 6 * u, s.say(day), 3.8, anchor="mm", bold=True)
            s.line([(x, top), (x, s.h)], s.theme.line, 0.3)
            for _ in range(s.rng.randrange(3)):
                start = s.rng.randrange(rows - 2)
                rgb = s.pick(s.palette).rgb
                s.box(
                    x + 0.4 * u,
                    top + start * dy,
                    x + dx - 0.6 * u,
                    top + (start + s.pick((1, 1, 2))) * dy,
                    fill=rgb,
                    radius=1,
                )
                s.text(
                    x + u,
                    top + (start + 0.5) * dy,
                    s.say(s.pick(TASKS)),
                    2.6,
                    readable_on(rgb),
                    width=dx - 2 * u,
                )
                events += 1
        about = [
            Words("a calendar of a week with appointments by the hour", "按小时显示预约的周历"),
            Words("a weekly calendar with coloured blocks", "含彩色日程块的周视图日历"),
        ]
        return s.done(about, events=events)
    months = Words(calendar.month_name[month + 1], MONTHS[month].zh)
    headed = s.chance(0.5)
    if headed:
        s.box(0, 0, s.w, 12 * u, fill=colour.rgb)
    title = Words(f"{months.en} {year}", f"{year}年{months.zh}")
    s.text(
        s.w / 2, 6 * u, s.say(title), 6, readable_on(colour.rgb) if headed else None, anchor="mm", bold=True
    )
    for i, day in enumerate(days):
        s.text(left + (i + 0.5) * dx, 16.5 * u, s.say(day), 3.4, s.theme.muted, anchor="mm")
    weeks = calendar.Calendar(0 if monday else 6).monthdayscalendar(year, month + 1)
    dy = (s.h - top - 3 * u) / len(weeks)
    ruled = s.chance(0.7)
    busy = s.chance(0.6)
    for r, row in enumerate(weeks):
        for c, day_number in enumerate(row):
            x, y = left + c * dx, top + r * dy
            if ruled:
                s.box(x, y, x + dx, y + dy, outline=s.theme.line, width=0.35)
            if not day_number:
                continue
            ink = (200, 60, 60) if (c >= 5 if monday else c in (0, 6)) and s.chance(0.9) else s.theme.ink
            s.text(
                *((x + 1.5 * u, y + 3 * u) if ruled else (x + dx / 2, y + dy / 2)),
                str(day_number),
                3.6 if ruled else 4.6,
                ink,
                anchor="lm" if ruled else "mm",
            )
            if busy and ruled and s.chance(0.25):
                rgb = s.pick(s.palette).rgb
                s.box(x + 0.6 * u, y + dy * 0.52, x + dx - 0.6 * u, y + dy * 0.82, fill=rgb, radius=0.6)
                s.text(
                    x + 1.2 * u, y + dy * 0.67, s.say(s.pick(EVENTS)), 2.2, readable_on(rgb), width=dx - 2 * u
                )
                events += 1
    return s.done(
        [
            Words(f"a calendar of {title.en}", f"{title.zh}的日历"),
            Words("a monthly calendar with a grid of days", "按天排列的月历"),
            Words("a calendar with coloured events", "标有彩色日程的日历")
            if events
            else Words(f"a calendar page {s.manner().en}", f"日历页,{s.manner().zh}"),
        ],
        month=month + 1,
        year=year,
        events=events,
    )


def renderers() -> list[Renderer]:
    return [
        Renderer("calendar-month", "calendar", "drawing", partial(_calendar, week=False), False, 1.2),
        Renderer("calendar-week", "calendar", "drawing", partial(_calendar, week=True), True, 1.2),
    ]
