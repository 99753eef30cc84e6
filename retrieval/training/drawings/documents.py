"""How are pages drawn: letters, invoices, receipts, articles, forms, slides?"""

from functools import partial
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.palette import LIGHT, Rgb, Theme, mixed, readable_on
from retrieval.training.drawings.registry import Renderer
from retrieval.training.drawings.scanning import scanned, signature, stamp
from retrieval.training.drawings.sheet import Drawing, Sheet
from retrieval.training.drawings.words import (
    COMPANIES,
    FIELDS,
    FORMS,
    GOODS,
    HEADLINES,
    NAMES,
    REGIONS,
    STAMPS,
    TOPICS,
    Words,
    article,
    listed,
    number,
)

_PAPER: tuple[Theme, ...] = (
    LIGHT[0],
    Theme("light", (252, 250, 244), (30, 28, 26), (80, 78, 74), (150, 148, 142), (240, 238, 230)),
    Theme("light", (244, 244, 244), (20, 20, 20), (70, 70, 70), (120, 120, 120), (228, 228, 228)),
)
_INK: tuple[Rgb, ...] = ((20, 40, 130), (25, 25, 30), (30, 60, 170))
_RED: tuple[Rgb, ...] = ((200, 30, 30), (190, 20, 60), (40, 60, 170))


def _page(rng: Random, fonts: Fonts, *, kind: str = "", aspect: float = 0.0) -> Sheet:
    return Sheet(
        rng,
        fonts,
        aspect=aspect or rng.choice((0.707, 0.707, 0.773, 0.75)),
        theme=rng.choice(_PAPER),
        kind=kind or rng.choice(("serif", "serif", "sans")),
    )


def _stamped(s: Sheet, share: float) -> Words | None:
    """Puts a stamp on the page at times and says which."""
    if not s.chance(share):
        return None
    rgb = s.pick(_RED)
    seal = s.language == "zh" and s.chance(0.6)
    words = s.pick(STAMPS)
    stamp(s, s.between(0.5, 0.82) * s.w, s.between(0.6, 0.85) * s.h, s.say(words), rgb, seal=seal)
    colour = Words("blue", "蓝色") if rgb[2] > rgb[0] else Words("red", "红色")
    if seal:
        return Words(f"with a round {colour.en} seal", f"盖有{colour.zh}圆形印章")
    return Words(
        f"with a {colour.en} stamp that says {words.en.lower()}", f"盖有写着“{words.zh}”的{colour.zh}印章"
    )


def _letter(rng: Random, fonts: Fonts, *, typed: bool) -> Drawing:
    """``typed``, held out: a typewriter's letter on old paper."""
    s = _page(rng, fonts, kind="mono" if typed else "")
    if typed:
        s.theme = Theme(
            "light", (238, 226, 196), (48, 40, 34), (88, 78, 66), (150, 138, 118), (228, 214, 182)
        )
        s.picture.paste(s.theme.paper, (0, 0, s.w, s.h))
    u, left, wide = s.u, 11 * s.u, s.w - 22 * s.u
    company, y = s.pick(COMPANIES), 9 * s.u
    headed = not typed and s.chance(0.7)
    if headed:
        rgb = s.pick(s.palette).rgb
        if s.chance(0.5):
            s.round(left + 4 * u, y + 2 * u, 4 * u, fill=rgb)
            s.text(left + 10 * u, y + 2 * u, s.say(company), 5, bold=True)
        else:
            s.text(s.w / 2, y + 2 * u, s.say(company), 5.5, rgb, anchor="mm", bold=True)
            s.line([(left, y + 7 * u), (left + wide, y + 7 * u)], rgb, 0.5)
        y += 13 * u
    for _ in range(3):
        s.text(left, y, s.prose(18), 2.8, anchor="lt", width=wide * 0.4)
        y += 4.2 * u
    s.text(
        left + wide,
        y,
        f"{s.rng.randrange(1, 29)}/{s.rng.randrange(1, 13)}/20{s.rng.randrange(10, 27)}",
        2.8,
        anchor="rt",
    )
    y += 9 * u
    s.text(left, y, s.say(Words("Dear Sir or Madam,", "尊敬的先生/女士:")), 3, anchor="lt")
    y += 8 * u
    paragraphs = s.pick((2, 3, 4))
    for _ in range(paragraphs):
        if y > s.h - 34 * u:
            break
        y = s.paragraph(left, y, wide, s.pick((3, 4, 5)), 2.9) + 3.5 * u
    s.text(left, y + 2 * u, s.say(Words("Kind regards", "此致敬礼")), 3, anchor="lt")
    signature(s, left + 2 * u, y + 12 * u, s.between(14, 24) * u, s.pick(_INK))
    stamped = _stamped(s, 0.3)
    is_scanned = typed or s.chance(0.7)
    if is_scanned:
        scanned(s, colour=stamped is not None)
    how = Words("scanned ", "扫描的") if is_scanned else Words("", "")
    sentences = [
        Words(f"a {how.en}letter on paper with a signature", f"{how.zh}带签名的纸质信函"),
        Words("a business letter with paragraphs of text", "含多段文字的商务信件"),
    ]
    if headed:
        sentences.append(Words(f"a letter from {company.en}", f"{company.zh}的信函"))
    if stamped:
        sentences.append(Words(f"a letter {stamped.en}", f"{stamped.zh}的信函"))
    return _paper(s, sentences, scanned=is_scanned, stamped=stamped is not None)


def _paper(s: Sheet, sentences: list[Words], **facts: object) -> Drawing:
    drawing = s.done(sentences, **facts)
    drawing.style = "scanned" if facts.get("scanned") else "rendered"
    return drawing


def _invoice(rng: Random, fonts: Fonts, *, banded: bool) -> Drawing:
    """``banded``, held out: a coloured band above and below."""
    s = _page(rng, fonts, kind=rng.choice(("sans", "serif")))
    u, left, right = s.u, 8 * s.u, s.w - 8 * s.u
    rgb, company = s.pick(s.palette).rgb, s.pick(COMPANIES)
    title = s.say(Words("INVOICE", "发票"))
    if banded:
        s.box(0, 0, s.w, 20 * u, fill=rgb)
        s.box(0, s.h - 8 * u, s.w, s.h, fill=rgb)
        s.text(right, 10 * u, title, 9, readable_on(rgb), anchor="rm", bold=True)
        s.text(left, 10 * u, s.say(company), 4, readable_on(rgb))
        y = 26 * u
    else:
        s.text(left, 11 * u, s.say(company), 4.5, bold=True)
        s.text(
            *((right, 11 * u) if s.chance(0.6) else (right, 20 * u)),
            title,
            7.5,
            rgb if s.chance(0.5) else None,
            anchor="rm",
            bold=True,
        )
        y = 26 * u
    for i in range(3):
        s.text(left, y + i * 4 * u, s.prose(16), 2.7, s.theme.muted, anchor="lt", width=35 * u)
        s.text(
            right,
            y + i * 4 * u,
            f"{s.say(s.pick(FIELDS))}: {s.rng.randrange(1000, 99999)}",
            2.7,
            s.theme.muted,
            anchor="rt",
        )
    y += 18 * u
    rows = s.pick((3, 4, 5, 6, 8))
    edges = [
        left,
        left + (right - left) * 0.5,
        left + (right - left) * 0.66,
        left + (right - left) * 0.83,
        right,
    ]
    heads = (Words("Item", "项目"), Words("Qty", "数量"), Words("Price", "单价"), Words("Total", "金额"))
    dy = min(7 * u, (s.h - y - 34 * u) / rows)
    filled = banded or s.chance(0.5)
    if filled:
        s.box(left, y, right, y + dy, fill=rgb)
    total = 0
    for i, head in enumerate(heads):
        at, anchor = (edges[i] + u, "lm") if i == 0 else (edges[i + 1] - u, "rm")
        s.text(
            at, y + dy / 2, s.say(head), 2.9, readable_on(rgb) if filled else None, anchor=anchor, bold=True
        )
    ruled = s.chance(0.6)
    for r, good in enumerate(s.some(GOODS, rows), 1):
        count, price = s.rng.randrange(1, 20), s.rng.randrange(2, 400)
        total += count * price
        middle = y + (r + 0.5) * dy
        s.text(left + u, middle, s.say(good), 2.9)
        for i, value in enumerate((str(count), f"{price}.00", f"{count * price}.00"), 2):
            s.text(edges[i] - u, middle, value, 2.9, anchor="rm")
        if ruled:
            s.line([(left, y + (r + 1) * dy), (right, y + (r + 1) * dy)], s.theme.line, 0.35)
    if ruled and not banded and s.chance(0.4):
        for x in edges:
            s.line([(x, y), (x, y + (rows + 1) * dy)], s.theme.line, 0.35)
    y += (rows + 1) * dy + 5 * u
    s.line([(edges[2], y - 2 * u), (right, y - 2 * u)], s.theme.ink, 0.6)
    s.text(edges[2], y + 2 * u, s.say(Words("Total", "合计")), 3.8, bold=True)
    s.text(right - u, y + 2 * u, f"{s.pick(('$', '€', '¥', '£'))}{total:,}.00", 3.8, anchor="rm", bold=True)
    s.paragraph(left, y + 10 * u, (right - left) * 0.7, 2, 2.5, s.theme.muted)
    stamped = _stamped(s, 0.35)
    is_scanned = s.chance(0.55)
    if is_scanned:
        scanned(s, colour=stamped is not None)
    lines = number(rows)
    how = Words("scanned ", "扫描的") if is_scanned else Words("", "")
    article_word = "a scanned" if is_scanned else "an"
    sentences = [
        Words(
            f"{article_word} invoice with a table of {lines.en} items and a total",
            f"{how.zh}发票,表格含{lines.zh}个项目和合计金额",
        ),
        Words(f"an invoice from {company.en}", f"{company.zh}开具的发票"),
    ]
    if stamped:
        sentences.append(Words(f"an invoice {stamped.en}", f"{stamped.zh}的发票"))
    return _paper(s, sentences, items=rows, total=total, scanned=is_scanned, stamped=stamped is not None)


def _receipt(rng: Random, fonts: Fonts, *, counter: bool) -> Drawing:
    """``counter``, held out: a slip that lies on a dark counter."""
    s = _page(
        rng,
        fonts,
        kind="mono",
        aspect=rng.choice((0.45, 0.55, 0.66)) if not counter else rng.choice((0.75, 1.0)),
    )
    u = s.u
    if counter:
        s.picture.paste(s.pick(((92, 64, 44), (58, 62, 70), (40, 60, 56), (120, 100, 84))), (0, 0, s.w, s.h))
        half = s.w * s.between(0.26, 0.34)
        x0, x1 = s.w / 2 - half, s.w / 2 + half
        s.box(x0, 3 * u, x1, s.h - 3 * u, fill=(246, 246, 242))
        for i in range(24):
            x = x0 + (x1 - x0) * i / 24
            s.shape(
                [(x, s.h - 3 * u), (x + (x1 - x0) / 48, s.h - u), (x + (x1 - x0) / 24, s.h - 3 * u)],
                fill=(246, 246, 242),
            )
    else:
        x0, x1 = 2 * u, s.w - 2 * u
    left, right, middle = x0 + 4 * u, x1 - 4 * u, (x0 + x1) / 2
    ink = (45, 45, 50)
    size = (right - left) / u / 19
    shop = s.pick(COMPANIES)
    y = 10 * u
    s.text(middle, y, s.say(shop), size * 1.4, ink, anchor="mm", width=right - left, bold=True)
    for _ in range(2):
        y += size * 1.7 * u
        s.text(middle, y, s.prose(14), size, ink, anchor="mm", width=(right - left) * 0.8)
    y += size * 2 * u
    s.dashed((left, y), (right, y), ink, 0.4, 1)
    rows = s.pick((3, 4, 5, 6, 8, 10))
    rows = min(rows, max(2, int((s.h - y - 24 * u) / (size * 1.9 * u)) - 4))
    total = 0.0
    for good in s.some(GOODS, rows):
        y += size * 1.9 * u
        price = round(s.between(1, 60), 2)
        total += price
        s.text(left, y, s.say(good), size, ink, width=(right - left) * 0.6)
        s.text(right, y, f"{price:.2f}", size, ink, anchor="rm")
    y += size * 1.6 * u
    s.dashed((left, y), (right, y), ink, 0.4, 1)
    y += size * 2 * u
    s.text(left, y, s.say(Words("TOTAL", "合计")), size * 1.35, ink, bold=True)
    s.text(right, y, f"{total:.2f}", size * 1.35, ink, anchor="rm", bold=True)
    barred = s.chance(0.5) and y < s.h - 22 * u
    if barred:
        x = left
        while x < right - u:
            width = s.pick((0.4, 0.8, 1.3)) * u
            s.box(x, s.h - 16 * u, x + width, s.h - 7 * u, fill=ink)
            x += width + s.pick((0.5, 0.9)) * u
    else:
        s.text(middle, y + size * 3 * u, s.say(Words("THANK YOU", "谢谢惠顾")), size, ink, anchor="mm")
    scan = s.chance(0.6)
    if scan:
        scanned(s, strength=0.8)
    lines = number(rows)
    return _paper(
        s,
        [
            Words(
                f"a till receipt with {lines.en} items and a total", f"含{lines.zh}项商品和合计金额的购物小票"
            ),
            Words(f"a narrow paper receipt from {shop.en}", f"{shop.zh}的窄条收据"),
        ],
        items=rows,
        scanned=scan,
    )


def _article(rng: Random, fonts: Fonts, *, columns: int) -> Drawing:
    s = _page(rng, fonts, kind=rng.choice(("serif", "serif", "sans")))
    u, left, right = s.u, 9 * s.u, s.w - 9 * s.u
    y = 9 * u
    topic = s.pick(HEADLINES)
    centred = columns > 1 and s.chance(0.6)
    s.text(
        s.w / 2 if centred else left,
        y,
        s.say(topic),
        s.between(5.5, 7.5),
        anchor="mt" if centred else "lt",
        bold=True,
    )
    y += 11 * u
    pictured = s.chance(0.4)
    width = (right - left - (columns - 1) * 4 * u) / columns
    for c in range(columns):
        x, at = left + c * (width + 4 * u), y
        if pictured and c == columns - 1:
            s.box(x, at, x + width, at + 26 * u, fill=mixed(s.pick(s.palette).rgb, s.theme.paper, 0.4))
            at += 30 * u
        while at < s.h - 20 * u:
            if s.chance(0.25):
                s.text(x, at, s.prose(14), 3.4, anchor="lt", bold=True, width=width)
                at += 6 * u
            lines = min(s.pick((4, 6, 8)), int((s.h - 9 * u - at) / (2.7 * u * 1.5)))
            if lines < 1:
                break
            at = s.paragraph(x, at, width, lines, 2.7, leading=1.5) + 2.5 * u
    scan = s.chance(0.4)
    if scan:
        scanned(s)
    many = number(columns)
    return _paper(
        s,
        [
            Words(
                f"a page of text in {many.en} {'column' if columns == 1 else 'columns'}",
                f"{many.zh}栏排版的文字页面" if columns > 1 else "单栏文字页面",
            ),
            Words(f"a document page headed {topic.en.lower()}", f"标题为“{topic.zh}”的文档页面"),
        ],
        columns=columns,
        scanned=scan,
    )


def _paper_form(rng: Random, fonts: Fonts, *, grid: bool) -> Drawing:
    """A form as scanned from paper: lines to write on and boxes to tick, or a ``grid`` of framed fields."""
    s = _page(
        rng, fonts, kind=rng.choice(("sans", "serif")), aspect=rng.choice((0.707, 0.75, 0.773, 0.8, 1.0))
    )
    u, left, right = s.u, 7 * s.u, s.w - 7 * s.u
    form, y = s.pick(FORMS), 8 * s.u
    filled = s.chance(0.7)
    ink = s.pick(_INK)
    if s.chance(0.4):
        s.text(left, 5 * u, s.say(s.pick(COMPANIES)), 2.8, anchor="lt")
        y = 12 * u
    s.text(s.w / 2, y, s.say(form), s.between(4.8, 6.5), anchor="mt", bold=True)
    y += 11 * u
    if s.chance(0.4):
        s.paragraph(left, y, right - left, 2, 2.4)
        y += 9 * u
    bottom = s.h - 14 * u
    fields = 0
    boxes = 0
    edge = s.theme.ink

    def written(x: float, at: float, width: float) -> None:
        if filled and s.chance(0.75):
            s.text(
                x,
                at,
                s.say(s.pick(NAMES)) if s.chance(0.5) else s.prose(12),
                3.1,
                ink,
                kind=s.pick(("hand", "mono")),
                width=width,
            )

    while y < bottom:
        kind = s.pick(("line", "pair", "pair", "boxes", "table", "block"))
        if grid and kind in ("line", "pair"):
            parts = s.pick((1, 2, 2, 3))
            tall = s.between(7, 9.5) * u
            for i in range(parts):
                x0 = left + (right - left) * i / parts
                x1 = left + (right - left) * (i + 1) / parts
                s.box(x0, y, x1, y + tall, outline=edge)
                s.text(x0 + u, y + 2.2 * u, s.say(s.pick(FIELDS)), 2.4)
                written(x0 + 2 * u, y + tall * 0.65, x1 - x0 - 4 * u)
                fields += 1
            y += tall
        elif kind in ("line", "pair"):
            parts = 1 if kind == "line" else 2
            for i in range(parts):
                x0 = left + (right - left) * i / parts
                x1 = left + (right - left) * (i + 1) / parts - 3 * u
                length = s.text(x0, y + 2.5 * u, f"{s.say(s.pick(FIELDS))}:", 3)
                s.line([(x0 + length + u, y + 4.5 * u), (x1, y + 4.5 * u)], edge, 0.35)
                written(x0 + length + 2 * u, y + 2.5 * u, x1 - x0 - length)
                fields += 1
            y += s.between(6.5, 8) * u
        elif kind == "boxes":
            x = left + s.text(left, y + 2.5 * u, s.say(s.pick(FIELDS)), 3) + 3 * u
            for _ in range(3):
                if x > right - 14 * u:
                    break
                s.box(x, y + u, x + 3 * u, y + 4 * u, outline=edge)
                if filled and s.chance(0.4):
                    s.line(
                        [(x + 0.4 * u, y + 2.5 * u), (x + 1.3 * u, y + 3.6 * u), (x + 3.4 * u, y)], ink, 0.6
                    )
                x += 4.5 * u + s.text(x + 4 * u, y + 2.5 * u, s.say(s.pick(REGIONS)), 2.8) + 3 * u
                boxes += 1
            y += 7.5 * u
        elif kind == "table" and y < bottom - 24 * u:
            rows, columns = s.pick((3, 4, 5)), s.pick((3, 4, 5))
            for r in range(rows + 1):
                s.line([(left, y + r * 5 * u), (right, y + r * 5 * u)], edge, 0.35)
            for c in range(columns + 1):
                x = left + (right - left) * c / columns
                s.line([(x, y), (x, y + rows * 5 * u)], edge, 0.35)
                if c < columns:
                    s.text(
                        x + u, y + 2.5 * u, s.say(s.pick(FIELDS)), 2.5, width=(right - left) / columns - 2 * u
                    )
                    for r in range(1, rows):
                        written(x + u, y + (r + 0.5) * 5 * u, (right - left) / columns - 2 * u)
            y += rows * 5 * u + 3 * u
        elif kind == "block" and s.chance(0.6):
            s.box(left, y, right, y + 4.5 * u, fill=s.pick(((40, 40, 40), (200, 200, 200))))
            y += 6.5 * u
    s.text(left, s.h - 7 * u, s.say(Words("Signature", "签名")), 3)
    s.line([(left + 14 * u, s.h - 5.5 * u), (left + 44 * u, s.h - 5.5 * u)], edge, 0.4)
    if filled and s.chance(0.8):
        signature(s, left + 16 * u, s.h - 8 * u, 22 * u, ink)
    stamped = _stamped(s, 0.25)
    scan = not grid or s.chance(0.7)
    if scan:
        scanned(s, colour=stamped is not None)
    state = Words("filled-in", "已填写的") if filled else Words("blank", "空白的")
    how = Words("scanned ", "扫描的") if scan else Words("", "")
    sentences = [
        Words(f"a {how.en}business form: {form.en.lower()}", f"{how.zh}业务表单:{form.zh}"),
        Words(
            f"a {state.en} paper form with fields and lines to write on", f"{state.zh}纸质表格,含填写栏和横线"
        ),
    ]
    if boxes:
        sentences.append(Words("a form with boxes to tick", "带勾选框的表格"))
    if stamped:
        sentences.append(Words(f"a form {stamped.en}", f"{stamped.zh}的表格"))
    return _paper(s, sentences, fields=fields, boxes=boxes, filled=filled, scanned=scan)


def _tax_form(rng: Random, fonts: Fonts) -> Drawing:
    """Held out: an authority's form, tinted, with numbered rows and a comb of cells for each letter."""
    s = _page(rng, fonts, kind="sans")
    u, left, right = s.u, 6 * s.u, s.w - 6 * s.u
    tint = mixed((255, 255, 255), s.pick(s.palette).rgb, 0.16)
    deep = mixed(tint, (0, 0, 0), 0.55)
    s.box(0, 0, s.w, s.h, fill=tint)
    s.text(left, 7 * u, s.say(s.pick(FORMS)), 5.4, deep, bold=True)
    s.box(right - 16 * u, 3 * u, right, 12 * u, outline=deep, fill=(255, 255, 255))
    y, rows = 17 * u, 0
    while y < s.h - 12 * u:
        rows += 1
        s.box(left, y, left + 5 * u, y + 7 * u, fill=deep)
        s.text(left + 2.5 * u, y + 3.5 * u, str(rows), 3, (255, 255, 255), anchor="mm")
        s.text(left + 7 * u, y + 3.5 * u, s.say(s.pick(FIELDS)), 2.8, (20, 20, 20), width=24 * u)
        cells = s.pick((6, 8, 10))
        x0 = right - cells * 4.2 * u
        for c in range(cells):
            s.box(
                x0 + c * 4.2 * u,
                y + u,
                x0 + (c + 1) * 4.2 * u,
                y + 6.4 * u,
                fill=(255, 255, 255),
                outline=deep,
                width=0.3,
            )
            if s.chance(0.5):
                s.text(
                    x0 + (c + 0.5) * 4.2 * u,
                    y + 3.7 * u,
                    str(s.rng.randrange(10)),
                    3,
                    (20, 20, 80),
                    anchor="mm",
                )
        s.line([(left, y + 8.2 * u), (right, y + 8.2 * u)], deep, 0.3)
        y += 9.4 * u
    if s.chance(0.5):
        scanned(s, strength=0.6, colour=True)
    return _paper(
        s,
        [
            Words(
                "a business form with numbered rows and a cell for each letter", "带编号行和逐字填写格的表单"
            ),
            Words("an official form on tinted paper", "彩色底纹的官方表格"),
        ],
        rows=rows,
        scanned=True,
    )


def _slide(rng: Random, fonts: Fonts, *, kind: str) -> Drawing:
    """``title``, ``points``, ``chart``; held out, ``columns``: two halves under a coloured side."""
    s = Sheet(
        rng,
        fonts,
        aspect=rng.choice((1.78, 1.78, 1.33)),
        dark_share=0.25,
        kind=rng.choice(("sans", "sans", "serif")),
    )
    u, colour, headline = s.u, s.pick(s.palette), s.pick(HEADLINES)
    points = 0
    manner = s.manner()
    if kind == "title":
        if s.chance(0.5):
            manner = Words(f"on {article(colour.name.en)} background", f"{colour.name.zh}背景")
            s.box(0, 0, s.w, s.h, fill=colour.rgb)
            ink = readable_on(colour.rgb)
        else:
            ink = s.theme.ink
            s.box(0, s.h * 0.72, s.w, s.h, fill=colour.rgb) if s.chance(0.5) else s.box(
                0, 0, s.w * 0.06, s.h, fill=colour.rgb
            )
        middle = s.chance(0.6)
        x, side = (s.w / 2, "m") if middle else (s.w * 0.12, "l")
        s.text(x, s.h * 0.42, s.say(headline), 13, ink, anchor=f"{side}m", bold=True, width=s.w * 0.84)
        s.text(x, s.h * 0.58, s.say(s.pick(COMPANIES)), 6, mixed(ink, colour.rgb, 0.25), anchor=f"{side}m")
    elif kind == "columns":
        s.box(0, 0, s.w * 0.3, s.h, fill=colour.rgb)
        s.text(
            s.w * 0.15,
            s.h * 0.3,
            s.say(headline),
            6,
            readable_on(colour.rgb),
            anchor="mm",
            bold=True,
            width=s.w * 0.27,
        )
        for c in range(2):
            x = s.w * (0.35 + 0.32 * c)
            s.text(x, 12 * u, s.say(s.pick(TOPICS)), 6, bold=True)
            s.line([(x, 18 * u), (x + s.w * 0.27, 18 * u)], colour.rgb, 0.8)
            for i in range(4):
                s.paragraph(x, (24 + i * 17) * u, s.w * 0.27, 2, 4, s.theme.muted)
                points += 1
    else:
        if s.chance(0.5):
            s.box(0, 0, s.w, 20 * u, fill=colour.rgb)
            s.text(6 * u, 10 * u, s.say(headline), 9, readable_on(colour.rgb), bold=True, width=s.w * 0.9)
        else:
            s.text(
                6 * u,
                12 * u,
                s.say(headline),
                9,
                colour.rgb if not s.theme.dark else None,
                bold=True,
                width=s.w * 0.9,
            )
            if s.chance(0.5):
                s.line([(6 * u, 20 * u), (s.w - 6 * u, 20 * u)], colour.rgb, 0.8)
        wide = s.w - 14 * u if kind == "points" and s.chance(0.6) else s.w * 0.46
        points = s.pick((3, 4, 5))
        for i in range(points):
            y = 30 * u + i * (s.h - 40 * u) / points
            s.round(8 * u, y, 1.3 * u, fill=colour.rgb)
            s.text(12 * u, y, s.prose(40), 5.4, width=wide - 12 * u)
        if kind == "chart":
            x0, x1, base = s.w * 0.54, s.w * 0.94, s.h * 0.86
            bars = s.pick((4, 5, 6))
            for i in range(bars):
                step = (x1 - x0) / bars
                s.box(
                    x0 + i * step,
                    base - s.between(10, 52) * u,
                    x0 + (i + 0.7) * step,
                    base,
                    fill=s.palette[i % 2].rgb,
                )
            s.line([(x0, base), (x1, base)], s.theme.muted, 0.4)
        elif wide < s.w * 0.5:
            s.box(
                s.w * 0.54,
                28 * u,
                s.w * 0.95,
                s.h - 14 * u,
                fill=mixed(s.pick(s.palette).rgb, s.theme.paper, 0.3),
            )
    if kind != "title" and s.chance(0.6):
        s.text(s.w - 5 * u, s.h - 5 * u, str(s.rng.randrange(2, 40)), 3.4, s.theme.muted, anchor="rm")
    what = {
        "title": Words("title slide", "标题页幻灯片"),
        "points": Words(
            f"slide with {number(points).en} bullet points", f"含{number(points).zh}个要点的幻灯片"
        ),
        "chart": Words("slide with bullet points beside a bar chart", "左侧要点、右侧柱状图的幻灯片"),
        "columns": Words("slide with two columns of text", "双栏文字幻灯片"),
    }[kind]
    return s.done(
        [
            Words(f"a presentation {what.en}", f"演示文稿{what.zh}"),
            Words(f"a presentation slide headed {headline.en.lower()}", f"标题为“{headline.zh}”的幻灯片"),
            Words(
                f"a presentation slide in {colour.name.en}, {manner.en}",
                f"{colour.name.zh}的幻灯片,{manner.zh}",
            ),
        ],
        points=points,
        colours=[colour.name.en],
    )


def _handwriting(rng: Random, fonts: Fonts, *, kind: str) -> Drawing:
    """``lined`` or ``plain`` paper; held out, ``sticky``: coloured notes on a board."""
    s = Sheet(rng, fonts, aspect=rng.choice((0.75, 1.0, 1.33)), theme=rng.choice(_PAPER), kind="hand")
    ink = s.pick(_INK)
    if kind == "sticky":
        return _sticky_notes(s)
    u = s.u
    size = s.between(5.5, 8)
    dy = size * 1.7 * u
    if kind == "lined":
        y = 14 * u
        while y < s.h:
            s.line([(0, y), (s.w, y)], (170, 195, 225), 0.35)
            y += dy
        if s.chance(0.6):
            s.line([(12 * u, 0), (12 * u, s.h)], (225, 120, 120), 0.4)
    y, lines = 14 * u - size * 0.45 * u, 0
    slope = s.between(-0.02, 0.02) if kind == "plain" else 0.0
    while y < s.h - 8 * u:
        x, stop = 15 * u, s.w - s.between(5, 30) * u
        for word in s.prose(60).split() if s.language == "en" else s.prose(60):
            if x > stop:
                break
            step = s.text(
                x, y + slope * x + s.between(-0.5, 0.5) * u, word, size * s.between(0.92, 1.08), ink
            )
            x += step + (size * 0.35 * u if s.language == "en" else s.between(0, 0.5) * u)
        lines += 1
        y += dy
    if s.chance(0.3):
        s.line([(15 * u, s.h * 0.3), (s.w * 0.6, s.h * 0.3 + s.between(-1, 1) * u)], ink, 0.6)
    if s.chance(0.6):
        scanned(s, strength=0.7, colour=True)
    colour = Words("black", "黑色") if ink[2] < 60 else Words("blue", "蓝色")
    paper = Words("lined paper", "横线纸") if kind == "lined" else Words("plain paper", "白纸")
    drawing = s.done(
        [
            Words(f"a handwritten note on {paper.en}", f"写在{paper.zh}上的手写笔记"),
            Words(
                f"handwriting in {colour.en} ink, in {'Chinese' if s.language == 'zh' else 'English'}",
                f"{colour.zh}墨水的{'中文' if s.language == 'zh' else '英文'}手写文字",
            ),
        ],
        lines=lines,
    )
    drawing.style = "handwritten"
    return drawing


def _sticky_notes(s: Sheet) -> Drawing:
    s.picture.paste(s.pick(((240, 240, 238), (196, 164, 120), (226, 232, 236))), (0, 0, s.w, s.h))
    across = s.pick((1, 2, 3))
    down = s.pick((1, 2, 2))
    side = min(s.w / across, s.h / down) * 0.82
    used = []
    for i in range(across * down):
        rgb, name = s.pick(
            (
                ((255, 235, 120), Words("yellow", "黄色")),
                ((255, 170, 190), Words("pink", "粉色")),
                ((165, 225, 170), Words("green", "绿色")),
                ((150, 205, 240), Words("blue", "蓝色")),
            )
        )
        used.append(name)
        x = s.w * (i % across + 0.5) / across + s.between(-1.5, 1.5) * s.u
        y = s.h * (i // across + 0.5) / down + s.between(-1.5, 1.5) * s.u
        s.box(
            x - side / 2 + s.u,
            y - side / 2 + s.u,
            x + side / 2 + s.u,
            y + side / 2 + s.u,
            fill=(150, 145, 140),
        )
        s.box(x - side / 2, y - side / 2, x + side / 2, y + side / 2, fill=rgb)
        size = side / s.u / 8
        for j in range(s.pick((2, 3, 4))):
            s.text(
                x - side * 0.42,
                y - side * 0.3 + j * side * 0.2,
                s.prose(14),
                size,
                (35, 35, 60),
                width=side * 0.84,
            )
    colours = listed(list(dict.fromkeys(used)))
    drawing = s.done(
        [
            Words(f"a handwritten note on {colours.en} sticky paper", f"写在{colours.zh}便利贴上的手写笔记"),
        ],
        notes=across * down,
    )
    drawing.style = "handwritten"
    return drawing


def renderers() -> list[Renderer]:
    return [
        Renderer("letter-printed", "letter", "document", partial(_letter, typed=False), False, 1.3),
        Renderer("letter-typed", "letter", "document", partial(_letter, typed=True), True, 1.3),
        Renderer("invoice-plain", "invoice", "document", partial(_invoice, banded=False), False, 1.4),
        Renderer("invoice-banded", "invoice", "document", partial(_invoice, banded=True), True, 1.4),
        Renderer("receipt-slip", "receipt", "document", partial(_receipt, counter=False), False, 1.0),
        Renderer("receipt-counter", "receipt", "document", partial(_receipt, counter=True), True, 1.0),
        Renderer("page-one-column", "page of text", "document", partial(_article, columns=1), False, 0.8),
        Renderer("page-two-columns", "page of text", "document", partial(_article, columns=2), False, 0.8),
        Renderer("page-three-columns", "page of text", "document", partial(_article, columns=3), True, 1.2),
        Renderer("form-lines", "scanned business form", "form", partial(_paper_form, grid=False), False, 1.6),
        Renderer("form-grid", "scanned business form", "form", partial(_paper_form, grid=True), False, 1.4),
        Renderer("form-comb", "scanned business form", "form", _tax_form, True, 1.6),
        Renderer("slide-title", "presentation slide", "slide", partial(_slide, kind="title"), False, 0.6),
        Renderer("slide-points", "presentation slide", "slide", partial(_slide, kind="points"), False, 1.0),
        Renderer("slide-chart", "presentation slide", "slide", partial(_slide, kind="chart"), False, 0.7),
        Renderer("slide-columns", "presentation slide", "slide", partial(_slide, kind="columns"), True, 1.4),
        Renderer(
            "handwriting-lined",
            "handwritten note",
            "document",
            partial(_handwriting, kind="lined"),
            False,
            0.8,
        ),
        Renderer(
            "handwriting-plain",
            "handwritten note",
            "document",
            partial(_handwriting, kind="plain"),
            False,
            0.8,
        ),
        Renderer(
            "handwriting-sticky",
            "handwritten note",
            "document",
            partial(_handwriting, kind="sticky"),
            True,
            1.2,
        ),
    ]
