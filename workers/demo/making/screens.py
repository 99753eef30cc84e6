"""What does the company's software look like? Invented programs, as copied off a screen."""

from PIL import Image

from workers.demo.making.canvas import BLUE, GREEN, GREY, INK, LINE, ORANGE, PALE, RED, TEAL, YELLOW, Canvas


def _window(canvas: Canvas, title: str, bar: str = "#2b3a4a") -> None:
    canvas.box(10, 10, canvas.width - 20, canvas.height - 20, "white", "#8d99a5", 1.5, 8)
    canvas.box(10, 10, canvas.width - 20, 40, bar, None, 0, 8)
    canvas.text(28, 30, title, 16, "white", anchor="lm")
    for number, colour in enumerate((GREEN, YELLOW, RED)):
        canvas.circle(canvas.width - 90 + number * 26, 30, 7, colour, None)


def _button(canvas: Canvas, x: float, y: float, words: str, fill: str = BLUE, colour: str = "white") -> None:
    width = canvas.text_width(words, 16) + 40
    canvas.box(x, y, width, 38, fill, None if fill != "white" else LINE, 1.5, 5)
    canvas.text(x + width / 2, y + 18, words, 16, colour, anchor="mm")


def vpn_client() -> Image.Image:
    canvas = Canvas(760, 560, "#dfe6ec")
    _window(canvas, "Fjordgate Secure Access 5.2")
    canvas.text(50, 84, "Connect to Halden network", 24, bold=True)
    for y, label, value in (
        (140, "Server", "vpn.halden-pumps.example"),
        (204, "User name", "h4711"),
        (268, "One-time code", "••• •••"),
    ):
        canvas.text(50, y + 8, label, 16, GREY)
        canvas.box(210, y, 490, 38, "white", LINE, 1.5, 4)
        canvas.text(224, y + 8, value, 16)
    canvas.box(50, 336, 650, 92, "#fdecea", RED, 1.5, 6)
    canvas.text(70, 350, "Error FG-809: no answer from gateway", 18, RED, bold=True)
    canvas.text(70, 382, "The hotel or home network blocks UDP port 500. Choose Settings >", 15)
    canvas.text(70, 402, "Transport > TCP 443, then connect again.", 15)
    _button(canvas, 50, 462, "Connect")
    _button(canvas, 190, 462, "Settings", "white", INK)
    canvas.text(700, 481, "IT helpdesk: extension 4911", 15, GREY, anchor="rm")
    return canvas.finish()


def attendance() -> Image.Image:
    canvas = Canvas(980, 620, "#e9edf1")
    _window(canvas, "哈尔登泵业  考勤管理系统  ·  我的请假", "#1f5fa8")
    canvas.box(10, 50, 180, 560, PALE, None)
    for row, name in enumerate(("首页", "打卡记录", "请假申请", "加班申请", "出差申请", "工资条")):
        if name == "请假申请":
            canvas.box(10, 74 + row * 52, 180, 42, "#d8e6f5", None)
        canvas.text(44, 84 + row * 52, name, 18, BLUE if name == "请假申请" else INK)
    canvas.text(224, 76, "请假申请", 26, bold=True)
    rows = [
        ("申请人", "王秀兰（工号 S2086）"),
        ("部门", "苏州工厂  质量部"),
        ("假期类型", "年休假"),
        ("开始时间", "2026-02-24 08:00"),
        ("结束时间", "2026-02-27 17:00"),
        ("请假天数", "4 天"),
        ("工作交接人", "陈立"),
    ]
    for row, (label, value) in enumerate(rows):
        y = 128 + row * 46
        canvas.text(224, y + 6, label, 17, GREY)
        canvas.box(350, y, 300, 36, "white", LINE, 1.5, 4)
        canvas.text(364, y + 6, value, 17)
    canvas.box(690, 128, 250, 176, "#eef6ee", GREEN, 1.5, 6)
    canvas.text(710, 142, "年假余额", 19, bold=True)
    for row, words in enumerate(("本年度应休  10 天", "已休  3 天", "剩余  7 天", "有效期至 2026-12-31")):
        canvas.text(710, 178 + row * 30, words, 16)
    canvas.box(224, 462, 716, 46, "#fff6e0", ORANGE, 1.5, 5)
    canvas.text(242, 472, "提示：连续请假三天以上须提前五个工作日提交，由部门经理审批。", 16)
    _button(canvas, 224, 536, "提交申请")
    _button(canvas, 372, 536, "保存草稿", "white", INK)
    return canvas.finish()


def controller_alarm() -> Image.Image:
    """The HC-3's own panel, with an alarm standing."""
    canvas = Canvas(960, 600, "#3b4147")
    canvas.box(22, 22, 916, 556, "#10161c", "#6b747d", 3, 14)
    canvas.box(44, 44, 872, 54, "#18222c", None, 0, 6)
    canvas.text(64, 71, "HC-3   P-102   Follo line 1", 20, "#d7e3ee", anchor="lm")
    canvas.text(896, 71, "14:32:07   11.03.2025", 18, "#8fa3b5", anchor="rm")
    canvas.box(44, 112, 872, 128, "#5c1512", RED, 3, 6)
    canvas.polygon([(100, 134), (140, 210), (60, 210)], YELLOW, None)
    canvas.text(100, 186, "!", 40, "#10161c", bold=True, anchor="mm")
    canvas.text(166, 128, "ALARM E-4012", 34, "white", bold=True)
    canvas.text(166, 184, "Seal chamber pressure low. Pump stopped.", 22, "#ffd9d5")
    tiles = [
        ("Suction pressure", "0.8 bar", "#8fd0a0"),
        ("Discharge pressure", "0.1 bar", "#e8b15a"),
        ("Seal chamber", "1.9 bar", "#ff8a80"),
        ("Bearing temp.", "61 °C", "#8fd0a0"),
        ("Flow", "0.0 m³/h", "#e8b15a"),
        ("Motor current", "0.0 A", "#8fd0a0"),
    ]
    for number, (label, value, colour) in enumerate(tiles):
        x, y = 44 + number % 3 * 294, 256 + number // 3 * 120
        canvas.box(x, y, 282, 106, "#18222c", "#2f3d4a", 2, 6)
        canvas.text(x + 18, y + 12, label, 17, "#8fa3b5")
        canvas.text(x + 18, y + 44, value, 34, colour, bold=True)
    for number, (words, fill) in enumerate(
        (("ACKNOWLEDGE", "#8c2f26"), ("TREND", "#24435f"), ("HELP", "#24435f"))
    ):
        canvas.box(44 + number * 294, 502, 282, 56, fill, None, 0, 6)
        canvas.text(185 + number * 294, 530, words, 20, "white", bold=True, anchor="mm")
    return canvas.finish()


def purchase_order() -> Image.Image:
    canvas = Canvas(1000, 600, "#e3e7ea")
    _window(canvas, "Verk ERP  ·  Purchase order 4500-88127", "#1b5e63")
    canvas.text(40, 74, "Purchase order 4500-88127", 24, bold=True)
    canvas.box(420, 78, 150, 30, "#fff0d6", ORANGE, 1.5, 14)
    canvas.text(495, 92, "Waiting for goods", 14, ORANGE, anchor="mm")
    for number, (label, value) in enumerate(
        (
            ("Supplier", "Nordstål Castings AS"),
            ("Buyer", "Ingrid Moe"),
            ("Delivery", "week 14, 2026"),
            ("Terms", "30 days net, DAP Halden"),
        )
    ):
        canvas.text(40 + number * 240, 124, label, 14, GREY)
        canvas.text(40 + number * 240, 146, value, 17)
    head = [
        (40, "Pos."),
        (100, "Item"),
        (230, "Description"),
        (610, "Qty"),
        (700, "Price NOK"),
        (840, "Amount NOK"),
    ]
    canvas.box(30, 190, 940, 36, TEAL, None)
    for x, words in head:
        canvas.text(x, 197, words, 16, "white", bold=True)
    rows = [
        ("10", "HX40-1001", "Volute casing EN-GJS-400, raw", "24", "6,850.00", "164,400.00"),
        ("20", "HX40-1004", "Casing cover EN-GJS-400, raw", "24", "2,140.00", "51,360.00"),
        ("30", "HX65-1001", "Volute casing 1.4517 duplex, raw", "6", "19,300.00", "115,800.00"),
        ("40", "PAT-0412", "Pattern repair, core box HX-65", "1", "8,900.00", "8,900.00"),
    ]
    for row, cells in enumerate(rows):
        y = 236 + row * 44
        if row % 2:
            canvas.box(30, y - 6, 940, 44, PALE, None)
        for (x, _), words in zip(head, cells, strict=True):
            canvas.text(x, y + 3, words, 16)
    canvas.line([(30, 424), (970, 424)], INK, 1.5)
    canvas.text(700, 440, "Total", 18, bold=True)
    canvas.text(840, 440, "340,460.00", 18, bold=True)
    canvas.box(30, 500, 940, 60, "#eef3f6", LINE, 1.5, 5)
    canvas.text(
        48, 518, "Release: I. Moe 06.02.2026  ·  second signature above 250,000 NOK: T. Haugen 09.02.2026", 16
    )
    return canvas.finish()
