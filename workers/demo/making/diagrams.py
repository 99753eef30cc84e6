"""What do the company's flow charts, wiring, piping and site plans look like?"""

from PIL import Image

from workers.demo.making.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LINE,
    ORANGE,
    PALE,
    RED,
    TEAL,
    YELLOW,
    Canvas,
    Point,
)


def _node(
    canvas: Canvas, middle: Point, words: str, width: float, fill: str = PALE, edge: str = BLUE
) -> None:
    x, y = middle
    height = 28 + 22 * words.count("\n") + 22
    canvas.box(x - width / 2, y - height / 2, width, height, fill, edge, 2, 8)
    canvas.text(x, y, words, 16, anchor="mm")


def _question(canvas: Canvas, middle: Point, words: str, width: float, height: float) -> None:
    x, y = middle
    half, tall = width / 2, height / 2
    canvas.polygon([(x, y - tall), (x + half, y), (x, y + tall), (x - half, y)], "#fff6e0", ORANGE, 2)
    canvas.text(x, y, words, 15, anchor="mm")


def expense_flow() -> Image.Image:
    canvas = Canvas(1000, 640)
    canvas.text(28, 20, "Expense claim: who approves what", 25, bold=True)
    canvas.text(28, 58, "Finance routine F-07, valid from 1 January 2026", 15, GREY)
    _node(canvas, (130, 160), "Employee files\nclaim in Reis", 180)
    _question(canvas, (390, 160), "Receipt\nattached?", 190, 120)
    _node(canvas, (390, 330), "Sent back:\nadd the receipt", 180, "#fdecea", RED)
    _question(canvas, (640, 160), "Over\n5,000 NOK?", 190, 120)
    _node(canvas, (872, 160), "Line manager\napproves", 180)
    _question(canvas, (640, 360), "Over\n50,000 NOK?", 190, 120)
    _node(canvas, (872, 360), "Department head\napproves", 180)
    _node(canvas, (640, 550), "Finance director\napproves", 190)
    _node(canvas, (872, 550), "Paid with the\nnext salary", 180, "#e8f4ea", GREEN)
    canvas.arrow((222, 160), (293, 160))
    canvas.arrow((486, 160), (543, 160))
    canvas.arrow((390, 222), (390, 292))
    canvas.line([(298, 330), (130, 330), (130, 260)])
    canvas.arrow((130, 260), (130, 198))
    canvas.arrow((736, 160), (780, 160))
    canvas.arrow((640, 222), (640, 298))
    canvas.arrow((736, 360), (780, 360))
    canvas.arrow((640, 422), (640, 512))
    canvas.arrow((736, 550), (780, 550))
    canvas.arrow((872, 398), (872, 512))
    canvas.line([(964, 160), (982, 160), (982, 550)])
    canvas.arrow((982, 550), (964, 550))
    for x, y, words in (
        (490, 138, "yes"),
        (398, 246, "no"),
        (742, 138, "no"),
        (648, 246, "yes"),
        (742, 338, "no"),
        (648, 446, "yes"),
    ):
        canvas.text(x, y, words, 15, GREY, bold=True)
    return canvas.finish()


def lockout_steps() -> Image.Image:
    steps = [
        "1 Announce",
        "2 Shut down",
        "3 Isolate",
        "4 Lock & tag",
        "5 Release\nstored energy",
        "6 Try to start",
    ]
    canvas = Canvas(1000, 300)
    canvas.text(24, 16, "Lockout / tagout: six steps before you open a machine", 22, bold=True)
    for number, words in enumerate(steps):
        x = 24 + number * 161
        fill = RED if number == 3 else BLUE
        canvas.polygon(
            [(x, 90), (x + 128, 90), (x + 152, 150), (x + 128, 210), (x, 210), (x + 24, 150)], fill, None
        )
        canvas.text(x + 80, 150, words, 15, "white", bold=True, anchor="mm")
    canvas.text(24, 240, "Your own lock, your own key. One lock for each person on the job.", 18)
    return canvas.finish()


def controller_wiring() -> Image.Image:
    canvas = Canvas(1200, 860)
    canvas.box(16, 16, 1168, 828, None, INK, 2)
    canvas.text(40, 34, "HC-3 controller  Wiring diagram", 24, bold=True)
    canvas.text(40, 72, "Drawing HC3-E-0110 rev. D · 3 × 400 V AC · control 24 V DC", 15, GREY)
    # Power: three phases down the left, through breaker, contactor and drive to the motor.
    phases = {"L1": "#8a5a2b", "L2": INK, "L3": "#7d7d7d"}
    for number, (name, colour) in enumerate(phases.items()):
        x = 90 + number * 44
        canvas.text(x, 118, name, 17, bold=True, anchor="mm")
        canvas.line([(x, 132), (x, 600)], colour, 3)
    canvas.line([(222, 132), (222, 690), (178, 690)], GREEN, 3)
    canvas.text(222, 118, "PE", 17, GREEN, bold=True, anchor="mm")
    for y, name, note in (
        (190, "F1", "breaker 16 A C"),
        (290, "K1", "contactor 24 V coil"),
        (420, "U1", "drive HV-7 5.5 kW"),
    ):
        canvas.box(68, y, 132, 62, "white", INK, 2, 4)
        canvas.text(134, y + 31, name, 22, bold=True, anchor="mm")
        canvas.text(242, y + (20 if name == "F1" else 0), note, 15)
    canvas.circle(134, 650, 52, PALE, INK, 3)
    canvas.text(134, 640, "M1", 22, bold=True, anchor="mm")
    canvas.text(134, 666, "3 ~", 16, anchor="mm")
    canvas.text(62, 718, "pump motor 5.5 kW 2,950 rpm", 15)
    # The controller with its two terminal strips.
    canvas.box(520, 150, 250, 560, "#eaf1f8", BLUE, 3, 8)
    canvas.text(645, 186, "HC-3", 30, BLUE, bold=True, anchor="mm")
    canvas.text(645, 222, "pump controller", 16, GREY, anchor="mm")
    left = [
        "X1:1  24 V",
        "X1:2  0 V",
        "X1:3  start drive",
        "X1:4  speed 4–20 mA",
        "X1:5  drive fault",
        "X1:6  K1 coil",
    ]
    for number, words in enumerate(left):
        y = 290 + number * 66
        canvas.box(520, y - 13, 26, 26, "white", BLUE, 2)
        canvas.text(556, y, words, 14, anchor="lm")
        colour = RED if number == 0 else BLUE if number == 1 else INK
        target = {0: 800, 1: 770, 2: 440, 3: 456, 4: 472, 5: 320}[number]
        if number > 1:
            x = 470 - number * 17
            canvas.line([(520, y), (x, y), (x, target), (200, target)], colour, 2)
            canvas.circle(200, target, 4, colour, None)
        else:
            canvas.line(
                [(520, y), (492 - number * 14, y), (492 - number * 14, target), (700, target)], colour, 2
            )
    canvas.box(700, 754, 190, 62, "white", INK, 2, 4)
    canvas.text(795, 785, "G1 24 V DC 5 A", 16, bold=True, anchor="mm")
    right = [
        ("X2:1", "S1 emergency stop", RED),
        ("X2:2", "S2 seal leak sensor", TEAL),
        ("X2:3", "B1 suction pressure", BLUE),
        ("X2:4", "B2 discharge pressure", BLUE),
        ("X2:5", "B3 bearing temperature Pt100", ORANGE),
        ("X2:6", "B4 flow meter 4–20 mA", BLUE),
    ]
    for number, (terminal, words, colour) in enumerate(right):
        y = 290 + number * 66
        canvas.box(744, y - 13, 26, 26, "white", BLUE, 2)
        canvas.text(734, y, terminal, 14, anchor="rm")
        canvas.line([(770, y), (880, y)], colour, 2)
        if number == 0:
            canvas.circle(896, y, 17, RED, INK, 2)
        else:
            canvas.circle(896, y, 17, "white", colour, 2.5)
        canvas.text(924, y, words, 16, anchor="lm")
    canvas.text(924, 720, "Screened cable for B1–B4,", 14, GREY)
    canvas.text(924, 742, "screen to PE at one end only.", 14, GREY)
    return canvas.finish()


def _valve(canvas: Canvas, x: float, y: float, tag: str, colour: str = INK) -> None:
    canvas.polygon(
        [(x - 20, y - 13), (x - 20, y + 13), (x + 20, y - 13), (x + 20, y + 13)], "white", colour, 2.5
    )
    canvas.line([(x, y), (x, y - 24)], colour, 2)
    canvas.line([(x - 12, y - 24), (x + 12, y - 24)], colour, 3)
    canvas.text(x, y + 22, tag, 15, anchor="ma")


def _instrument(canvas: Canvas, x: float, y: float, letters: str, number: str, pipe_y: float) -> None:
    canvas.line([(x, y), (x, pipe_y)], GREY, 1.5)
    canvas.circle(x, y, 25, "white", INK, 2)
    canvas.text(x, y - 8, letters, 15, bold=True, anchor="mm")
    canvas.text(x, y + 10, number, 13, anchor="mm")


def piping() -> Image.Image:
    canvas = Canvas(1200, 720)
    canvas.box(16, 16, 1168, 688, None, INK, 2)
    canvas.text(40, 34, "HX-40 slurry loop  Piping and instrumentation diagram", 24, bold=True)
    canvas.text(40, 72, "Drawing PID-2207 rev. B · Follo paper mill, line 1 · DN 80 / DN 65", 15, GREY)
    canvas.box(70, 180, 190, 270, "#e6f0f2", TEAL, 3, 18)
    canvas.text(165, 290, "T-101", 24, TEAL, bold=True, anchor="mm")
    canvas.text(165, 324, "slurry tank 6 m³", 16, anchor="mm")
    canvas.line([(165, 450), (165, 560), (540, 560)], BLUE, 5)
    canvas.line([(612, 516), (612, 350), (1000, 350), (1000, 420)], BLUE, 5)
    canvas.circle(590, 560, 50, "white", INK, 3)
    canvas.polygon([(556, 524), (556, 596), (639, 560)], None, INK, 2.5)
    canvas.text(590, 630, "P-102  HX-40", 18, bold=True, anchor="ma")
    canvas.text(590, 655, "42 m³/h at 46 m", 15, GREY, anchor="ma")
    _valve(canvas, 300, 560, "V-11 gate")
    canvas.polygon([(398, 546), (430, 546), (414, 576)], "white", INK, 2)
    canvas.text(414, 584, "ST-12 strainer", 15, anchor="ma")
    _valve(canvas, 720, 350, "V-14 check")
    _valve(canvas, 860, 350, "V-15 control", TEAL)
    _instrument(canvas, 480, 470, "PT", "103", 560)
    _instrument(canvas, 668, 262, "PT", "104", 350)
    _instrument(canvas, 780, 262, "FT", "106", 350)
    _instrument(canvas, 948, 262, "AT", "108", 350)
    canvas.line([(780, 237), (780, 190), (860, 190), (860, 326)], TEAL, 1.5, (8, 5))
    canvas.text(868, 180, "FIC-106", 15, TEAL)
    canvas.box(925, 420, 150, 130, "#fdf3e6", ORANGE, 3, 8)
    canvas.text(1000, 472, "C-110", 22, ORANGE, bold=True, anchor="mm")
    canvas.text(1000, 504, "head box", 16, anchor="mm")
    # Barrier fluid of the seal: plan 53B with its bladder accumulator.
    canvas.line([(560, 519), (560, 420), (420, 420), (420, 330)], GREEN, 3)
    canvas.box(392, 230, 56, 100, "#e8f4ea", GREEN, 3, 26)
    canvas.text(420, 212, "A-120 accumulator", 15, GREEN, anchor="mb")
    canvas.text(438, 372, "seal flush plan 53B\nbarrier fluid 6 bar", 14, GREEN)
    _valve(canvas, 316, 420, "V-18 drain", GREY)
    canvas.line([(336, 420), (368, 420), (368, 560)], GREY, 2.5)
    canvas.arrow((296, 420), (262, 420), GREY)
    return canvas.finish()


def site_halden() -> Image.Image:
    canvas = Canvas(1100, 760, "#eef3ea")
    canvas.polygon([(0, 664), (300, 636), (640, 672), (1100, 640), (1100, 760), (0, 760)], "#cfe3f0", None)
    canvas.text(520, 700, "Tista river", 20, "#4a7ea3")
    canvas.line([(0, 160), (1100, 120)], "#b9b9b9", 34)
    canvas.line([(0, 160), (1100, 120)], "white", 2, (18, 14))
    canvas.text(60, 112, "Fabrikkveien", 17, GREY)
    canvas.line([(560, 140), (560, 600)], "#c8c8c8", 24)
    canvas.text(28, 22, "Halden works: site map and assembly points", 26, bold=True)
    buildings = [
        (90, 220, 200, 130, "A", "Offices, reception", "#dbe6f3"),
        (330, 220, 190, 130, "B", "Test beds 1–3", "#dbe6f3"),
        (90, 410, 430, 130, "C", "Machining and assembly", "#e9dfd0"),
        (620, 220, 220, 150, "D", "Foundry", "#f3d9d2"),
        (620, 420, 220, 120, "E", "Paint shop (EX zone)", "#f6ebc4"),
        (890, 230, 160, 130, "F", "Canteen, clinic", "#dcecdc"),
        (890, 420, 160, 120, "G", "Warehouse, dock", "#e4e4e4"),
    ]
    for x, y, width, height, letter, name, fill in buildings:
        canvas.box(x, y, width, height, fill, "#7c8894", 2, 4)
        canvas.text(x + width / 2, y + height / 2 - 14, letter, 34, bold=True, anchor="mm")
        canvas.text(x + width / 2, y + height / 2 + 24, name, 15, anchor="mm")
    for x, y, name in ((60, 568, "Assembly point 1"), (860, 568, "Assembly point 2")):
        canvas.box(x, y, 36, 36, GREEN, "white", 2, 5)
        canvas.text(x + 18, y + 17, "✚", 20, "white", anchor="mm")
        canvas.text(x + 46, y + 7, name, 17, GREEN, bold=True)
    for x, y in ((302, 372), (852, 380), (530, 560)):
        canvas.circle(x, y, 13, RED, "white", 2)
        canvas.text(x, y, "H", 14, "white", bold=True, anchor="mm")
    canvas.box(30, 650, 330, 88, "white", LINE, 1.5, 6)
    canvas.circle(56, 676, 11, RED, None)
    canvas.text(56, 676, "H", 13, "white", bold=True, anchor="mm")
    canvas.text(78, 664, "fire hose and defibrillator", 15)
    canvas.box(46, 700, 20, 20, GREEN, None, 0, 3)
    canvas.text(78, 698, "assembly point after alarm", 15)
    canvas.arrow((1060, 716), (1060, 660), INK, 3, 16)
    canvas.text(1060, 736, "N", 20, bold=True, anchor="mm")
    return canvas.finish()


def evacuation_suzhou() -> Image.Image:
    canvas = Canvas(1000, 700)
    canvas.box(0, 0, 1000, 78, GREEN, None)
    canvas.text(500, 39, "苏州工厂二号车间  紧急疏散路线图", 30, "white", bold=True, anchor="mm")
    canvas.box(70, 130, 860, 430, PALE, INK, 4)
    rooms = [
        (70, 130, 250, 170, "机加工区"),
        (320, 130, 300, 170, "装配区"),
        (620, 130, 310, 170, "水泵测试台"),
        (70, 400, 250, 160, "物料仓库"),
        (320, 400, 300, 160, "更衣室"),
        (620, 400, 310, 160, "办公室"),
    ]
    for x, y, width, height, name in rooms:
        canvas.box(x, y, width, height, "white", INK, 3)
        canvas.text(x + width / 2, y + height / 2, name, 22, anchor="mm")
    for x in (160, 440, 740):
        canvas.arrow((x, 288), (x, 334), GREEN, 5, 18)
        canvas.arrow((x, 412), (x, 366), GREEN, 5, 18)
    canvas.arrow((480, 350), (96, 350), GREEN, 6, 22)
    canvas.arrow((520, 350), (904, 350), GREEN, 6, 22)
    for x, name in ((70, "西门"), (930, "东门")):
        canvas.box(x - 9, 318, 18, 64, "white", None)
        canvas.text(x + (-34 if x < 500 else 34), 350, name, 22, RED, bold=True, anchor="mm")
    for x, y in ((340, 320), (612, 320), (340, 384)):
        canvas.box(x - 10, y - 10, 20, 20, RED, None, 0, 3)
    canvas.circle(560, 350, 9, BLUE, "white", 2)
    canvas.box(70, 590, 20, 20, RED, None, 0, 3)
    canvas.text(100, 588, "灭火器", 17)
    canvas.circle(200, 600, 9, BLUE, "white", 2)
    canvas.text(218, 588, "您的位置", 17)
    canvas.arrow((320, 600), (366, 600), GREEN, 5, 16)
    canvas.text(378, 588, "疏散方向", 17)
    canvas.text(
        70, 634, "集合点：北侧停车场。听到警报立即停机撤离，禁止使用电梯。报警电话：内线 8119", 19, bold=True
    )
    return canvas.finish()


def seal_plan() -> Image.Image:
    """A small figure for the manual: how the barrier fluid of plan 53B goes round."""
    canvas = Canvas(820, 400)
    canvas.box(60, 190, 250, 150, PALE, INK, 3, 10)
    canvas.text(185, 316, "seal chamber", 16, anchor="mm")
    for x in (140, 214):
        canvas.box(x, 215, 22, 70, TEAL, INK, 2)
    canvas.line([(30, 250), (400, 250)], GREY, 14)
    canvas.text(330, 222, "shaft", 15, GREY)
    canvas.line([(120, 190), (120, 90), (560, 90)], GREEN, 4)
    canvas.line([(250, 190), (250, 140), (560, 140), (560, 170)], ORANGE, 4)
    canvas.box(530, 60, 90, 110, "#e8f4ea", GREEN, 3, 12)
    canvas.text(575, 115, "cooler", 16, anchor="mm")
    canvas.box(690, 60, 70, 150, "#e8f4ea", GREEN, 3, 34)
    canvas.line([(620, 90), (690, 90)], GREEN, 4)
    canvas.text(725, 232, "bladder\naccumulator", 15, anchor="ma")
    canvas.circle(430, 90, 24, "white", INK, 2)
    canvas.text(430, 90, "PI", 15, bold=True, anchor="mm")
    canvas.text(450, 186, "barrier fluid 2 bar above\nseal chamber pressure", 15, GREY)
    canvas.box(30, 372, 14, 14, YELLOW, None)
    canvas.text(52, 369, "refill below the yellow mark", 14)
    return canvas.finish()
