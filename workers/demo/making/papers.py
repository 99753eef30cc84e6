"""Which papers lie on the company's desks and walls? Invoices, forms, receipts, posters, plates, aged."""

from PIL import Image

from workers.demo.making.ageing import brushed_metal, handwritten, photographed, scanned
from workers.demo.making.canvas import BLUE, GREEN, GREY, INK, LINE, ORANGE, PALE, RED, SCALE, YELLOW, Canvas
from workers.demo.making.drawings import gauge

STAMP = "#b3382c"


def _table(
    canvas: Canvas, x: float, y: float, widths: list[float], rows: list[tuple[str, ...]], size: float
) -> float:
    """Ruled lines round every cell; the first row is the head. The y below the table."""
    tall = size * 2.1
    for number, row in enumerate(rows):
        left = x
        for width, words in zip(widths, row, strict=True):
            canvas.box(left, y, width, tall, PALE if number == 0 else None, "#555c63", 1.2)
            canvas.text(left + 9, y + tall / 2, words, size, bold=number == 0, anchor="lm")
            left += width
        y += tall
    return y


def invoice_nordstal() -> Image.Image:
    canvas = Canvas(900, 1200)
    canvas.text(70, 70, "Nordstål Castings AS", 34, bold=True, serif=True)
    canvas.text(70, 120, "Støperiveien 4, 3264 Larvik, Norway\nOrg. no. 998 214 553 MVA", 17, serif=True)
    canvas.text(830, 76, "INVOICE", 34, bold=True, anchor="ra")
    for row, (label, value) in enumerate(
        (
            ("Invoice no.", "20317"),
            ("Date", "14.10.2025"),
            ("Due date", "13.11.2025"),
            ("Your order", "4500-87603"),
            ("Our ref.", "Silje Bakke"),
        )
    ):
        canvas.text(560, 150 + row * 30, label, 18, GREY)
        canvas.text(830, 150 + row * 30, value, 18, anchor="ra")
    canvas.text(70, 226, "Halden Pumps AS\nAccounts payable\nFabrikkveien 12\n1777 Halden", 19)
    y = _table(
        canvas,
        70,
        390,
        [90, 350, 80, 110, 130],
        [
            ("Item", "Description", "Qty", "Price", "Amount"),
            ("10", "Volute casing HX-40, raw", "12", "6,720.00", "80,640.00"),
            ("20", "Casing cover HX-40, raw", "12", "2,095.00", "25,140.00"),
            ("30", "Heat treatment, batch 55", "1", "4,800.00", "4,800.00"),
            ("40", "Freight Larvik–Halden", "1", "3,150.00", "3,150.00"),
        ],
        17,
    )
    for row, (label, value) in enumerate(
        (("Net", "113,730.00"), ("VAT 25 %", "28,432.50"), ("Total NOK", "142,162.50"))
    ):
        bold = row == 2
        canvas.text(560, y + 30 + row * 34, label, 21 if bold else 18, bold=bold)
        canvas.text(830, y + 30 + row * 34, value, 21 if bold else 18, bold=bold, anchor="ra")
    canvas.text(
        70, 860, "Please pay to account 2801.44.19302. Interest of 9.25 % p.a. after the due date.", 17
    )
    canvas.text(70, 892, "Castings inspected to EN 1559-3, certificate 3.1 enclosed.", 17)
    canvas.line([(70, 1110), (830, 1110)], GREY, 1)
    canvas.text(
        450, 1126, "Nordstål Castings AS · post@nordstal.example · +47 33 00 41 00", 15, GREY, anchor="ma"
    )
    stamp = Canvas(330, 120)
    stamp.box(6, 6, 318, 108, None, STAMP, 4, 6)
    stamp.text(165, 40, "RECEIVED", 30, STAMP, bold=True, anchor="mm")
    stamp.text(165, 84, "20 OCT 2025  /  ACC 4310", 19, STAMP, anchor="mm")
    mark = stamp.finish().rotate(7, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    page = canvas.finish()
    page.paste(mark, (110, 950))
    handwritten(page, 520, 1010, "OK  I. Moe", size=36, seed=5)
    return scanned(page, seed=20317, degrees=0.8)


def invoice_hengda() -> Image.Image:
    canvas = Canvas(1120, 760, "#fdfaf3")
    red = "#9c3a22"
    canvas.text(560, 50, "江苏增值税专用发票", 36, red, bold=True, serif=True, anchor="mm")
    canvas.line([(360, 80), (760, 80)], red, 3)
    canvas.text(70, 60, "发票代码 3200253130", 17, red)
    canvas.text(1050, 44, "No. 00458217", 22, INK, mono=True, anchor="ra")
    canvas.text(1050, 78, "开票日期：2025年09月18日", 16, anchor="ra")
    canvas.box(60, 110, 1000, 560, None, red, 2)
    for y in (230, 276, 470, 520, 570):
        canvas.line([(60, y), (1060, y)], red, 1.5)
    canvas.text(80, 124, "购买方", 18, red)
    canvas.text(
        180,
        122,
        "名称：哈尔登泵业（苏州）有限公司\n纳税人识别号：91320594MA1X8K42Q7\n"
        "地址电话：苏州工业园区星龙街428号  0512-6255 8100",
        17,
    )
    for x, words in (
        (80, "货物或应税劳务名称"),
        (360, "规格型号"),
        (500, "单位"),
        (580, "数量"),
        (690, "单价"),
        (820, "金额"),
        (960, "税额"),
    ):
        canvas.text(x, 242, words, 17, red)
    rows = [
        ("机械密封组件", "HX-40-S2", "套", "40", "1150.00", "46000.00", "5980.00"),
        ("轴承 6310 C3", "6310", "只", "80", "182.00", "14560.00", "1892.80"),
        ("碳化硅密封环", "SiC-45", "只", "60", "236.00", "14160.00", "1840.80"),
    ]
    for number, row in enumerate(rows):
        for x, words in zip((80, 360, 500, 580, 690, 820, 960), row, strict=True):
            canvas.text(x, 292 + number * 46, words, 17)
    canvas.text(80, 482, "合计", 18, red)
    canvas.text(820, 482, "¥74720.00", 17)
    canvas.text(950, 482, "¥9713.60", 17)
    canvas.text(80, 532, "价税合计（大写）", 18, red)
    canvas.text(300, 532, "捌万肆仟肆佰叁拾叁元陆角整", 18)
    canvas.text(820, 532, "（小写）¥84433.60", 17)
    canvas.text(80, 584, "销售方", 18, red)
    canvas.text(
        180,
        582,
        "名称：苏州恒达密封科技有限公司\n纳税人识别号：91320505MA20T6D93K\n开户行：苏州城东银行新区支行",
        16,
    )
    canvas.text(70, 690, "收款人：徐芳        复核：周建国        开票人：沈悦", 17, red)
    canvas.circle(900, 626, 68, None, "#d5392b", 3)
    canvas.text(900, 608, "苏州恒达密封\n科技有限公司", 16, "#d5392b", anchor="mm")
    canvas.text(900, 652, "发票专用章", 16, "#d5392b", bold=True, anchor="mm")
    return scanned(canvas.finish(), seed=458, degrees=-0.7, grey=False)


def expense_form() -> Image.Image:
    canvas = Canvas(900, 1180)
    canvas.text(60, 60, "HALDEN PUMPS", 22, BLUE, bold=True)
    canvas.text(60, 98, "Expense claim  /  费用报销单", 30, bold=True)
    canvas.text(840, 68, "Form F-07", 18, GREY, anchor="ra")
    for row, label in enumerate(("Name / 姓名", "Department / 部门", "Purpose / 事由", "Period / 期间")):
        y = 172 + row * 54
        canvas.text(60, y, label, 18)
        canvas.line([(270, y + 30), (840, y + 30)], GREY, 1.2)
    rows: list[tuple[str, ...]] = [("Date", "Description", "Currency", "Amount", "NOK")]
    rows += [("", "", "", "", "")] * 7
    _table(canvas, 60, 410, [110, 340, 100, 115, 115], rows, 20)
    canvas.text(560, 762, "Total NOK", 20, bold=True)
    canvas.box(690, 752, 150, 46, None, INK, 2)
    for x, words in ((60, "Receipts attached"), (290, "Company card"), (490, "Advance deducted")):
        canvas.box(x, 842, 20, 20, "white", INK, 1.5)
        canvas.text(x + 30, 838, words, 18)
    canvas.text(60, 920, "Signature of employee", 16, GREY)
    canvas.line([(60, 990), (400, 990)], GREY, 1.2)
    canvas.text(480, 920, "Approved by line manager", 16, GREY)
    canvas.line([(480, 990), (840, 990)], GREY, 1.2)
    canvas.text(
        60, 1090, "Hand in within 30 days of the journey. Claims without a receipt are sent back.", 16, GREY
    )
    page = canvas.finish()
    notes = [
        (280, 196, "Liu Yang"),
        (280, 250, "Service, Suzhou"),
        (280, 304, "Seal repair Follo, pump P-102"),
        (280, 358, "10.–13. March 2025"),
    ]
    lines = [
        ("10.3", "Flight PVG–OSL", "CNY", "6 480", "9 526"),
        ("10.3", "Airport train", "NOK", "236", "236"),
        ("11.3", "Hotel Ski, 3 nights", "NOK", "4 050", "4 050"),
        ("12.3", "Taxi, broken lift", "NOK", "415", "415"),
        ("13.3", "Dinner with customer", "NOK", "1 290", "1 290"),
    ]
    for number, (x, y, words) in enumerate(notes):
        handwritten(page, x, y, words, size=27, seed=number)
    for row, cells in enumerate(lines):
        for column, (x, words) in enumerate(zip((68, 180, 520, 620, 735), cells, strict=True)):
            handwritten(page, x, 482 + row * 42, words, size=23, seed=40 + row * 7 + column)
    handwritten(page, 704, 786, "15 517", size=27, seed=91)
    handwritten(page, 63, 861, "x", size=27, seed=92)
    handwritten(page, 90, 976, "Liu Yang", size=38, seed=93)
    handwritten(page, 510, 976, "K. Berg", size=38, seed=94, colour="#22252b")
    return scanned(page, seed=77, degrees=-1.1, grey=False)


def taxi_receipt() -> Image.Image:
    canvas = Canvas(460, 780, "#fdfdfb")
    canvas.text(230, 44, "FOLLO TAXI", 32, mono=True, bold=True, anchor="ma")
    canvas.text(230, 92, "Ski stasjon, 1400 Ski\nOrg. 914 552 870", 18, mono=True, anchor="ma")
    canvas.line([(36, 160), (424, 160)], INK, 1.5, (6, 5))
    rows = [
        ("Date", "12.03.2025"),
        ("Time", "06:48"),
        ("Car", "F-217"),
        ("From", "Ski hotel"),
        ("To", "Follo paper mill"),
        ("Distance", "17.4 km"),
        ("Fare", "370.54"),
        ("VAT 12 %", "44.46"),
    ]
    for row, (label, value) in enumerate(rows):
        canvas.text(40, 184 + row * 42, label, 20, mono=True)
        canvas.text(420, 184 + row * 42, value, 20, mono=True, anchor="ra")
    canvas.line([(36, 530), (424, 530)], INK, 1.5, (6, 5))
    canvas.text(40, 548, "TOTAL NOK", 27, mono=True, bold=True)
    canvas.text(420, 548, "415.00", 27, mono=True, bold=True, anchor="ra")
    canvas.text(40, 606, "Visa ****4471  approved", 19, mono=True)
    canvas.text(230, 668, "Takk for turen!\nThank you", 20, mono=True, anchor="ma")
    paper = canvas.finish()
    return photographed(
        paper,
        seed=415,
        corners=((0.08, 0.05), (0.9, 0.03), (0.95, 0.95), (0.04, 0.97)),
        backdrop="#7a6450",
        warmth=1.05,
    )


def lockout_poster() -> Image.Image:
    canvas = Canvas(760, 1040, "white")
    canvas.box(0, 0, 760, 200, RED, None)
    canvas.text(380, 70, "LOCK OUT  TAG OUT", 58, "white", bold=True, anchor="mm")
    canvas.text(380, 148, "上锁挂牌  保护生命", 46, "white", bold=True, anchor="mm")
    # A padlock through a hasp, with its tag.
    canvas.arc(250, 390, 86, 180, 360, "#8b949c", 30)
    canvas.line([(179, 390), (179, 450)], "#8b949c", 30)
    canvas.line([(321, 390), (321, 450)], "#8b949c", 30)
    canvas.box(130, 440, 240, 190, YELLOW, INK, 4, 18)
    canvas.circle(250, 520, 22, INK, None)
    canvas.box(241, 524, 18, 56, INK, None)
    canvas.line([(340, 420), (470, 330)], INK, 3)
    canvas.box(440, 280, 250, 350, "#fffdf2", RED, 5, 14)
    canvas.circle(470, 312, 12, "white", INK, 3)
    canvas.text(565, 352, "DANGER", 40, RED, bold=True, anchor="mm")
    canvas.text(565, 404, "危险  禁止操作", 26, RED, bold=True, anchor="mm")
    canvas.text(565, 446, "DO NOT OPERATE", 22, bold=True, anchor="mm")
    for row, words in enumerate(("Name 姓名 ________", "Date 日期 ________", "Tel. 电话 ________")):
        canvas.text(470, 490 + row * 42, words, 20)
    steps = [
        "1  Tell everyone who is affected.   通知相关人员",
        "2  Stop the machine.   停机",
        "3  Open the main switch.   切断电源",
        "4  Put on your own lock and tag.   上锁挂牌",
        "5  Release pressure and springs.   释放残余能量",
        "6  Try to start: nothing moves.   试启动确认",
    ]
    for row, words in enumerate(steps):
        canvas.text(60, 686 + row * 46, words, 26)
    canvas.box(0, 984, 760, 56, INK, None)
    canvas.text(
        380, 1011, "No lock, no work.  没有上锁，不准作业。  EHS 4700 / 8119", 23, "white", anchor="mm"
    )
    return canvas.finish()


def canteen_menu() -> Image.Image:
    canvas = Canvas(900, 1120, "#fffaf0")
    canvas.box(20, 20, 860, 1080, None, "#b5502e", 4, 10)
    canvas.text(450, 70, "员工食堂  本周菜单", 48, "#b5502e", bold=True, serif=True, anchor="mm")
    canvas.text(450, 130, "2026年3月9日至3月13日   午餐 11:30–13:00", 23, anchor="mm")
    week = [
        ("周一", "红烧肉  ·  清炒时蔬  ·  番茄蛋汤", "15 元"),
        ("周二", "清蒸鲈鱼  ·  麻婆豆腐  ·  紫菜汤", "18 元"),
        ("周三", "宫保鸡丁  ·  蒜蓉西兰花  ·  冬瓜汤", "15 元"),
        ("周四", "苏式焖肉面  ·  卤蛋  ·  凉拌黄瓜", "16 元"),
        ("周五", "咖喱牛肉饭  ·  时令水果  ·  酸奶", "18 元"),
    ]
    for row, (day, dishes, price) in enumerate(week):
        y = 186 + row * 132
        canvas.box(56, y, 788, 112, "white" if row % 2 else "#fdeede", "#e2b48f", 2, 10)
        canvas.text(86, y + 56, day, 34, "#b5502e", bold=True, anchor="lm")
        canvas.text(196, y + 56, dishes, 26, anchor="lm")
        canvas.text(822, y + 56, price, 26, "#b5502e", bold=True, anchor="rm")
    canvas.text(70, 872, "素食窗口每天供应；清真餐请提前一天向前台预订。", 25)
    canvas.text(70, 922, "夜班加餐 22:00–23:00，凭工牌免费。", 25)
    canvas.text(70, 972, "意见与建议：行政部 赵敏，内线 8125", 25)
    canvas.text(450, 1044, "珍惜粮食，光盘行动", 30, GREEN, bold=True, anchor="mm")
    return photographed(
        canvas.finish(),
        seed=39,
        corners=((0.06, 0.05), (0.93, 0.08), (0.95, 0.96), (0.04, 0.94)),
        backdrop="#9aa7a3",
        warmth=1.04,
    )


def nameplate() -> Image.Image:
    canvas = Canvas(1000, 680)
    canvas.image.paste(brushed_metal(1000 * SCALE, 680 * SCALE, seed=65), (0, 0))
    canvas.box(24, 24, 952, 632, None, "#30363c", 4, 26)
    for x in (60, 940):
        for y in (60, 620):
            canvas.circle(x, y, 20, "#8e969d", "#4b5258", 3)
            canvas.line([(x - 12, y - 8), (x + 12, y + 8)], "#4b5258", 5)
    canvas.box(110, 54, 780, 96, "#1c4d86", None, 0, 8)
    canvas.text(500, 100, "HALDEN PUMPS  哈尔登泵业", 46, "white", bold=True, anchor="mm")
    rows = [
        ("Type", "HX-65-250"),
        ("Serial no.", "30418"),
        ("Flow Q", "110 m³/h"),
        ("Head H", "62 m"),
        ("Speed n", "2960 1/min"),
        ("Power P", "30 kW"),
        ("Material", "1.4517 duplex"),
        ("Year", "2024"),
    ]
    for number, (label, value) in enumerate(rows):
        x, y = 90 + number % 2 * 430, 196 + number // 2 * 84
        canvas.text(x, y + 10, label, 24, "#2a3036")
        canvas.box(x + 136, y, 270, 56, "#d9dee2", "#5b636a", 2)
        canvas.text(x + 150, y + 27, value, 29, "#14181c", bold=True, anchor="lm")
    canvas.text(
        500, 566, "1777 Halden, Norway  ·  Made in Suzhou  ·  CE  ·  Mass 212 kg", 24, "#2a3036", anchor="mm"
    )
    return photographed(
        canvas.finish(),
        seed=30418,
        corners=((0.05, 0.09), (0.94, 0.04), (0.96, 0.93), (0.07, 0.97)),
        backdrop="#2f4a5e",
    )


def pressure_gauge() -> Image.Image:
    canvas = Canvas(820, 820, "#5d6b70")
    canvas.box(0, 560, 820, 120, "#3f5560", None)
    canvas.box(0, 572, 820, 24, "#5b7683", None)
    canvas.box(372, 560, 76, 150, "#a98544", "#5d4720", 3)
    canvas.box(350, 640, 120, 62, "#b8924d", "#5d4720", 3, 6)
    gauge(canvas, 410, 360, 300, 4.6, 10, "bar")
    canvas.box(520, 700, 250, 74, "#fbfbf5", "#9a9a90", 2, 4)
    canvas.text(645, 722, "PI-104  P-102", 24, bold=True, anchor="mm")
    canvas.text(645, 752, "calibrated 02/2026", 18, anchor="mm")
    return photographed(
        canvas.finish(),
        seed=104,
        corners=((-0.03, -0.02), (1.02, -0.04), (1.04, 1.03), (-0.02, 1.02)),
        backdrop="#5d6b70",
    )


def whiteboard() -> Image.Image:
    canvas = Canvas(1100, 760, "#f7f9f9")
    page = canvas.finish()
    notes = [
        (60, 90, "P-102 Follo: why does the seal die?", 44, "#1b2a6b"),
        (80, 180, "1. suction strainer clogged (ST-12)", 34, INK),
        (80, 236, "2. barrier pressure only 1.9 bar, must be 4", 34, INK),
        (80, 292, "3. bearing outer race: BPFO 148 Hz", 34, INK),
        (80, 370, "-> fit plan 53B before Easter", 38, "#b3261e"),
        (80, 430, "-> SiC / SiC instead of carbon", 38, "#b3261e"),
        (80, 520, "Anna: order accumulator A-120", 32, "#1e6b3a"),
        (80, 572, "Liu: vibration again in week 14", 32, "#1e6b3a"),
        (80, 624, "Kari: service bulletin SB-2025-02", 32, "#1e6b3a"),
    ]
    for number, (x, y, words, size, colour) in enumerate(notes):
        handwritten(page, x, y, words, size=size, seed=700 + number, colour=colour)
    sketch = Canvas(300, 260, "#f7f9f9")
    sketch.circle(110, 150, 70, None, "#1b2a6b", 4)
    sketch.polygon([(66, 96), (66, 204), (178, 150)], None, "#1b2a6b", 4)
    sketch.line([(0, 150), (40, 150)], "#1b2a6b", 4)
    sketch.line([(150, 92), (150, 20), (270, 20)], "#1b2a6b", 4)
    sketch.text(70, 226, "P-102", 24, "#1b2a6b", bold=True)
    page.paste(sketch.finish(), (760, 400))
    return photographed(
        page,
        seed=53,
        corners=((0.03, 0.06), (0.97, 0.02), (0.98, 0.96), (0.02, 0.93)),
        backdrop="#8c9296",
        warmth=0.99,
    )


def delivery_label() -> Image.Image:
    """A carton's label, for a query picture that is text only."""
    canvas = Canvas(620, 420, "white")
    canvas.box(10, 10, 600, 400, None, INK, 3)
    canvas.text(30, 28, "Spare part kit", 24, GREY)
    canvas.text(30, 66, "HX-40-S2", 56, bold=True)
    canvas.text(30, 150, "Mechanical seal SiC / SiC, O-rings FKM", 24)
    canvas.text(30, 190, "机械密封组件（含密封圈）", 24)
    canvas.text(30, 244, "Lot 2509-118    Use before 09/2030", 22)
    for number, width in enumerate((3, 6, 2, 4, 7, 2, 3, 5, 2, 6, 3, 4, 2, 7, 3, 2, 5, 4, 3, 6, 2, 4, 6, 3)):
        canvas.box(30 + number * 16, 300, width, 80, INK, None)
    canvas.box(440, 300, 150, 80, ORANGE, None, 0, 6)
    canvas.text(515, 340, "FRAGILE", 26, "white", bold=True, anchor="mm")
    canvas.line([(30, 286), (590, 286)], LINE, 2)
    return photographed(
        canvas.finish(),
        seed=118,
        corners=((0.06, 0.08), (0.95, 0.04), (0.92, 0.95), (0.09, 0.98)),
        backdrop="#b58f63",
        warmth=1.03,
    )
