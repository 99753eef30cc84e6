"""Which measurements and figures does the company show as charts?"""

from math import exp, sin

import numpy as np
from PIL import Image

from workers.demo.making.charts import bar_chart, line_chart, pie_chart


def performance_curve() -> Image.Image:
    curves = {
        f"Ø {diameter} mm": [
            (flow, round(head * (1 - 0.42 * (flow / 62) ** 2 - 0.03 * flow / 62), 2))
            for flow in range(0, 63, 2)
        ]
        for diameter, head in ((209, 58.0), (195, 50.0), (180, 42.0))
    }
    return line_chart(
        "HX-40  Performance curve at 2,950 rpm",
        "Test bed 2, Halden · water 20 °C · ISO 9906 grade 2B · test report TR-4471",
        [(flow, str(flow)) for flow in range(0, 71, 10)],
        [0, 10, 20, 30, 40, 50, 60],
        curves,
        "Flow Q (m³/h)",
        "Head H (m)",
        marks=[((42, round(58 * (1 - 0.42 * (42 / 62) ** 2 - 0.03 * 42 / 62), 2)), "BEP 42 m³/h, 71 %")],
    )


def npsh_curve() -> Image.Image:
    points = [(flow, 1.6 + 0.0011 * flow**2) for flow in range(5, 63)]
    margin = [(flow, value + 0.5) for flow, value in points]
    return line_chart(
        "HX-40  NPSH required (NPSH3)",
        "Suction test, 3 % head drop · inducer not fitted · test report TR-4473",
        [(flow, str(flow)) for flow in range(0, 71, 10)],
        [0, 1, 2, 3, 4, 5, 6, 7],
        {"NPSH3 measured": points, "with 0.5 m margin": margin},
        "Flow Q (m³/h)",
        "NPSH (m)",
        marks=[((50, 1.6 + 0.0011 * 2500), "4.35 m at 50 m³/h")],
        marks_below=True,
    )


def vibration_spectrum() -> Image.Image:
    rng = np.random.default_rng(49)
    peaks = {24.6: 1.1, 49.2: 3.9, 98.4: 1.5, 148.0: 5.6, 176.0: 2.3, 295.2: 1.8}
    spectrum = []
    for step in range(0, 1600):
        hertz = step / 4
        level = 0.12 + abs(float(rng.normal(0, 0.05))) + 0.03 * sin(hertz / 31) ** 2
        level += sum(height * exp(-(((hertz - at) / 1.1) ** 2)) for at, height in peaks.items())
        spectrum.append((hertz, level))
    return line_chart(
        "Vibration spectrum, HX-40 no. 21877, drive-end bearing",
        "Customer: Follo paper mill, pump P-102 · velocity mm/s RMS · before repair, 11 March 2025",
        [(hertz, str(hertz)) for hertz in range(0, 401, 50)],
        [0, 1, 2, 3, 4, 5, 6, 7],
        {"velocity": spectrum},
        "Frequency (Hz)",
        "Velocity (mm/s RMS)",
        marks=[((49.2, 4.0), "1× 49.2 Hz unbalance"), ((148.0, 5.7), "BPFO 148 Hz outer race")],
    )


def seal_life() -> Image.Image:
    return bar_chart(
        "Mechanical seal life by flush plan",
        "Median hours to leakage · 214 seals returned 2022–2025 · HX-40 and HX-65 in slurry service",
        ["No flush", "Plan 11", "Plan 32", "Plan 53B"],
        {"SiC / carbon": [2100, 5400, 11800, 16500], "SiC / SiC": [3900, 7200, 15200, 21400]},
        [0, 5000, 10000, 15000, 20000, 25000],
        "Hours",
    )


def energy_suzhou() -> Image.Image:
    return bar_chart(
        "苏州工厂月度用电量（2025年）",
        "单位：万千瓦时 · 数据来源：能源管理系统 · 7月空压机改造后单耗下降12%",
        [f"{month}月" for month in range(1, 11)],
        {
            "铸造车间": [31, 24, 33, 34, 36, 39, 33, 32, 31, 30],
            "机加工车间": [22, 17, 23, 24, 24, 26, 24, 24, 23, 23],
        },
        [0, 10, 20, 30, 40, 50],
        "万千瓦时",
    )


def accidents() -> Image.Image:
    return bar_chart(
        "Lost-time injuries and near misses reported",
        "Halden and Suzhou together, per year",
        ["2021", "2022", "2023", "2024", "2025"],
        {"Lost-time injuries": [7, 6, 4, 3, 2], "Near misses (tens)": [9, 13, 18, 24, 31]},
        [0, 10, 20, 30, 40],
        "Count",
        size=(900, 470),
    )


def revenue() -> Image.Image:
    return bar_chart(
        "Group revenue by quarter",
        "Million NOK · pumps, service and spare parts · 2024 against 2025",
        ["Q1", "Q2", "Q3", "Q4"],
        {"2024": [182, 197, 191, 224], "2025": [196, 214, 229, 241]},
        [0, 50, 100, 150, 200, 250, 300],
        "MNOK",
    )


def cost_shares() -> Image.Image:
    return pie_chart(
        "Where the money goes: cost of a HX-40 pump",
        "Standard cost 2026, Halden works · 41,300 NOK = 100 %",
        {
            "Castings and forgings": 34,
            "Motor and drive": 23,
            "Direct labour": 17,
            "Mechanical seal": 11,
            "Bearings and shaft": 8,
            "Freight and packing": 7,
        },
    )


def cash_position() -> Image.Image:
    weeks = [
        58,
        55,
        61,
        64,
        52,
        47,
        49,
        44,
        38,
        41,
        46,
        57,
        63,
        66,
        61,
        68,
        72,
        70,
        59,
        54,
        57,
        62,
        69,
        74,
        71,
        78,
    ]
    return line_chart(
        "Cash position by week, first half of 2025",
        "Million NOK at week's end · covenant floor 35 MNOK (Sparebank loan agreement, clause 14.2)",
        [(week, f"W{week}") for week in range(1, 27, 5)],
        [0, 20, 40, 60, 80, 100],
        {
            "Cash and undrawn credit": list(zip(range(1, 27), map(float, weeks), strict=True)),
            "Covenant floor": [(1, 35), (26, 35)],
        },
        "Week",
        "MNOK",
        marks=[((9, 38), "38 MNOK: tax and holiday pay")],
        marks_below=True,
    )
