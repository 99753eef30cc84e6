"""Where do the demo library's pictures, PDFs and film come from? Drawn here; texts are hand-written.

A development tool, run only when the library changes: `python -m workers.demo.make_library`. It needs
Debian's fonts-noto-cjk, and reportlab and fonttools beside the product's own packages. The same code and
fonts give the same bytes, so a run without a change leaves the working tree as it was.
"""

import sys
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from PIL import Image

from workers.demo.making import diagrams, drawings, film, graphs, papers, pictured, screens
from workers.demo.making.canvas import with_few_colours

LIBRARY = Path(__file__).parent / "library"
MANUALS = Path(__file__).parent / "making" / "manuals"
Draw = Callable[[], Image.Image]

PICTURES: dict[str, Draw] = {
    "handbook/images/expense-approval-flow.png": diagrams.expense_flow,
    "handbook/images/vpn-client-error.png": screens.vpn_client,
    "handbook/images/请假申请截图.png": screens.attendance,
    "handbook/images/site-map-halden.png": diagrams.site_halden,
    "handbook/images/疏散路线图-二号车间.png": diagrams.evacuation_suzhou,
    "handbook/images/lockout-poster.webp": papers.lockout_poster,
    "handbook/images/食堂菜单.jpg": papers.canteen_menu,
    "engineering/drawings/hc-3-wiring.png": diagrams.controller_wiring,
    "engineering/drawings/pid-2207-slurry-loop.png": diagrams.piping,
    "engineering/drawings/hx-40-section.png": drawings.pump_section,
    "engineering/drawings/dm-12-exploded-sketch.webp": drawings.dosing_pump_sketch,
    "engineering/tests/hx-40-performance-curve.png": graphs.performance_curve,
    "engineering/tests/hx-40-npsh.webp": graphs.npsh_curve,
    "engineering/tests/vibration-p-102.png": graphs.vibration_spectrum,
    "engineering/tests/seal-life.png": graphs.seal_life,
    "engineering/tests/苏州工厂用电量.png": graphs.energy_suzhou,
    "engineering/photos/hc-3-alarm-panel.jpg": screens.controller_alarm,
    "engineering/photos/nameplate-hx-65.jpg": papers.nameplate,
    "engineering/photos/pressure-gauge-pi-104.jpg": papers.pressure_gauge,
    "engineering/photos/whiteboard-follo.jpg": papers.whiteboard,
    "engineering/photos/spare-kit-label.jpg": papers.delivery_label,
    "finance/scans/invoice-nordstal-20317.jpg": papers.invoice_nordstal,
    "finance/scans/发票-恒达密封-00458217.jpg": papers.invoice_hengda,
    "finance/scans/expense-claim-liu-yang.jpg": papers.expense_form,
    "finance/scans/taxi-receipt.jpg": papers.taxi_receipt,
    "finance/scans/purchase-order-4500-88127.png": screens.purchase_order,
    "finance/charts/revenue-by-quarter.png": graphs.revenue,
    "finance/charts/cost-of-a-pump.png": graphs.cost_shares,
    "finance/charts/cash-position.webp": graphs.cash_position,
    # Without letters, under names that say nothing: found by what they show or not at all.
    "handbook/images/img-0412.png": pictured.pie_chart,
    "handbook/images/img-0417.png": pictured.flag,
}
SILENT_FILM = "handbook/images/vid-0031.mp4"
FILM = "engineering/videos/replacing-the-seal-hx-40.mp4"
PDFS = (
    "handbook/safety-handbook.pdf",
    "handbook/安全生产须知.pdf",
    "engineering/hx-40-manual.pdf",
    "engineering/hc-3-controller-manual.pdf",
    "engineering/dm-12-使用说明书.pdf",
    "finance/quarterly-report-2025-q3.pdf",
)
# The drawings that manuals refer to, by the name used there.
FIGURES: dict[str, Draw] = {
    "lockout_steps": diagrams.lockout_steps,
    "site_halden": diagrams.site_halden,
    "accidents": graphs.accidents,
    "evacuation_suzhou": diagrams.evacuation_suzhou,
    "pump_section": partial(drawings.pump_section, with_list=False),
    "performance_curve": graphs.performance_curve,
    "seal_plan": diagrams.seal_plan,
    "controller_wiring": diagrams.controller_wiring,
    "controller_alarm": screens.controller_alarm,
    "diaphragm_head": partial(drawings.diaphragm_head, chinese=True),
    "revenue": graphs.revenue,
}


@lru_cache
def figure(name: str) -> Image.Image:
    return FIGURES[name]()


class Figures(dict[str, Image.Image]):
    """Draws a figure when a manual asks for it."""

    def __missing__(self, name: str) -> Image.Image:
        return figure(name)


def save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        with_few_colours(picture).save(path, optimize=True)
    elif path.suffix == ".webp":
        picture.save(path, quality=84, method=6)
    else:
        picture.save(path, quality=74, optimize=True)


def main() -> int:
    # Only here: the tests read the lists above where reportlab is not installed.
    from workers.demo.making.typeset import register_fonts, typeset

    film.save_film(LIBRARY / FILM)
    pictured.save_scenes(LIBRARY / SILENT_FILM)
    for name, draw in PICTURES.items():
        save(draw(), LIBRARY / name)
    sources = {
        name: (MANUALS / Path(name).with_suffix(".md").name).read_text(encoding="utf-8") for name in PDFS
    }
    register_fonts("".join(sources.values()))
    for name, source in sources.items():
        typeset(source, Figures(), LIBRARY / name)
    files = [path for path in LIBRARY.rglob("*") if path.is_file()]
    total_bytes = sum(path.stat().st_size for path in files)
    sys.stdout.write(f"{len(files)} files, {total_bytes / 1024**2:.1f} MiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
