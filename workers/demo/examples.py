"""Which searches does the demo show, as whom, and what must each of them find, or never show?"""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

LIBRARY = Path(__file__).parent / "library"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A query picture from a file of the library: cut out, scaled and saved again, so no byte is the same."""

    path: str
    # Of a video: the second to stop at.
    second: float = 0
    # left, top, right, bottom as shares of the picture.
    cut: tuple[float, float, float, float] = (0, 0, 1, 1)
    scale: float = 0.8

    def jpeg(self) -> bytes:
        picture = self._still() if self.path.endswith(".mp4") else self._opened()
        width, height = picture.size
        left, top, right, bottom = self.cut
        picture = picture.crop(
            (round(left * width), round(top * height), round(right * width), round(bottom * height))
        )
        picture = picture.resize(
            (round(picture.width * self.scale), round(picture.height * self.scale)), Image.Resampling.BICUBIC
        )
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=70)
        return file.getvalue()

    def _opened(self) -> Image.Image:
        with Image.open(LIBRARY / self.path) as opened:
            return opened.convert("RGB")

    def _still(self) -> Image.Image:
        import av  # Only this example needs it.

        with av.open(str(LIBRARY / self.path)) as film:
            frames = (frame for frame in film.decode(video=0) if frame.time >= self.second)
            return Image.fromarray(next(frames).to_ndarray(format="rgb24"))


@dataclass(frozen=True, slots=True)
class Expected:
    """`path` begins with the collection's slug. The hit is among the first `within`, and on `page`."""

    path: str
    page: int | None = None
    within: int = 1
    # The hit is a moment of a video that begins at this second, give or take one.
    second: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    user: str
    words: str = ""
    picture: Snapshot | None = None
    expected: tuple[Expected, ...] = ()
    # Paths, or whole collections by their slug, of which nothing may be seen: no hit, no facet.
    never: tuple[str, ...] = ()
    # What every single hit has to be, when a filter says so.
    only_kind: str = ""
    only_collection: str = ""

    def query_picture(self) -> bytes | None:
        return None if self.picture is None else self.picture.jpeg()


EXAMPLES = (
    Example(
        "words find a manual's page",
        "anna",
        "which torque for the impeller nut",
        expected=(Expected("engineering/hx-40-manual.pdf", page=7),),
    ),
    Example(
        "a question in other words than the text's",
        "chen",
        "a thief took my computer",
        expected=(Expected("handbook/it-security.md"),),
    ),
    Example(
        "a symptom finds the page that explains it",
        "anna",
        "why does the pump make a noise like gravel",
        expected=(Expected("engineering/hx-40-manual.pdf", page=8),),
    ),
    Example(
        "an error code, whole",
        "anna",
        "E-4013",
        expected=(Expected("engineering/error-codes.html"),),
    ),
    Example(
        "words find a screenshot by what is written in it",
        "chen",
        "FG-809 no answer from gateway kind:image",
        expected=(Expected("handbook/images/vpn-client-error.png"),),
        only_kind="image",
    ),
    Example(
        "a Chinese question finds a Chinese page",
        "chen",
        "高温津贴每月发多少",
        expected=(Expected("handbook/安全生产须知.pdf", page=3),),
    ),
    Example(
        "a Chinese question finds a rule",
        "bo",
        "年休假没有休完可以顺延到什么时候",
        expected=(Expected("handbook/苏州/员工休假制度.md"),),
    ),
    Example(
        "a Chinese question finds an English page",
        "chen",
        "笔记本电脑被偷了怎么办",
        expected=(Expected("handbook/it-security.md", within=3),),
    ),
    Example(
        "an English question finds a Chinese page",
        "chen",
        "may guests stay overnight in the dormitory",
        expected=(Expected("handbook/苏州/宿舍管理规定.md", within=3),),
    ),
    Example(
        "Chinese words find a photo by what is written in it",
        "chen",
        "宫保鸡丁 蒜蓉西兰花",
        expected=(Expected("handbook/images/食堂菜单.jpg"),),
    ),
    Example(
        "a scanned invoice by supplier and number",
        "bo",
        "Nordstål invoice 20317",
        expected=(Expected("finance/scans/invoice-nordstal-20317.jpg"),),
    ),
    Example(
        "a scanned Chinese invoice by seller and goods",
        "bo",
        "苏州恒达密封科技 碳化硅密封环",
        expected=(Expected("finance/scans/发票-恒达密封-00458217.jpg"),),
    ),
    Example(
        "a form that was filled in by hand",
        "bo",
        "expense claim Liu Yang seal repair Follo",
        expected=(Expected("finance/scans/expense-claim-liu-yang.jpg"),),
    ),
    Example(
        "a picture finds itself, cut, scaled and saved again",
        "anna",
        picture=Snapshot("engineering/photos/nameplate-hx-65.jpg", cut=(0.03, 0.02, 0.98, 0.97), scale=0.7),
        expected=(Expected("engineering/photos/nameplate-hx-65.jpg"),),
    ),
    Example(
        "a photo of an alarm finds the passage that explains it",
        "anna",
        picture=Snapshot("engineering/photos/hc-3-alarm-panel.jpg", cut=(0.0, 0.03, 1.0, 0.62)),
        expected=(Expected("engineering/hc-3-controller-manual.pdf", within=4),),
    ),
    Example(
        "a cut of a Chinese screenshot finds the rule behind it",
        "chen",
        picture=Snapshot("handbook/images/请假申请截图.png", cut=(0.2, 0.68, 1.0, 0.92), scale=1.1),
        expected=(
            Expected("handbook/images/请假申请截图.png", within=2),
            Expected("handbook/苏州/员工休假制度.md", within=3),
        ),
    ),
    Example(
        "words and a picture: this panel, but its wiring diagram",
        "anna",
        "wiring diagram kind:image",
        picture=Snapshot("engineering/photos/hc-3-alarm-panel.jpg", cut=(0.0, 0.05, 1.0, 0.42)),
        expected=(Expected("engineering/drawings/hc-3-wiring.png"),),
        only_kind="image",
    ),
    Example(
        "words spoken in a film find their second",
        "anna",
        "paper towel to look for drops below the gland",
        expected=(Expected("engineering/videos/replacing-the-seal-hx-40.mp4", second=28),),
    ),
    Example(
        "a Chinese sentence of its subtitles does, too",
        "anna",
        "断路器挂上挂锁 钥匙放在口袋里 kind:video",
        expected=(Expected("engineering/videos/replacing-the-seal-hx-40.mp4", second=14),),
        only_kind="video",
    ),
    Example(
        "words on screen find the second at which they are shown",
        "anna",
        "开盖之前先上锁挂牌 kind:video",
        expected=(Expected("engineering/videos/replacing-the-seal-hx-40.mp4", second=14),),
        only_kind="video",
    ),
    Example(
        "a photo of the screen finds the scene of the film",
        "anna",
        picture=Snapshot(
            "engineering/videos/replacing-the-seal-hx-40.mp4",
            second=26,
            cut=(0.02, 0.02, 0.98, 0.98),
            scale=0.9,
        ),
        expected=(Expected("engineering/videos/replacing-the-seal-hx-40.mp4", second=21),),
    ),
    Example(
        "the film, for somebody who may not see it",
        "chen",
        "paper towel to look for drops below the gland kind:video",
        never=("engineering",),
    ),
    Example(
        "filters: images of one collection",
        "anna",
        "mechanical seal life hours kind:image in:engineering",
        expected=(Expected("engineering/tests/seal-life.png"),),
        only_kind="image",
        only_collection="engineering",
    ),
    Example(
        "a filter by language",
        "bo",
        "屋顶光伏 lang:zh",
        expected=(Expected("finance/2026年度预算说明.md"),),
    ),
    Example(
        "a phrase, word by word",
        "anna",
        '"left-hand thread"',
        expected=(Expected("engineering/hx-40-manual.pdf", page=7),),
    ),
    Example(
        "a phrase, without what contains another word",
        "anna",
        '"E-4012" -nitrogen',
        expected=(Expected("engineering/hc-3-controller-manual.pdf", page=3, within=3),),
        never=("engineering/error-codes.html",),
    ),
    Example(
        "salary bands, as finance",
        "bo",
        "salary bands senior engineer midpoint",
        expected=(Expected("finance/salary-bands-2026.md"),),
        never=("engineering",),
    ),
    Example(
        "salary bands, as engineering: nothing of finance is there",
        "anna",
        "salary bands senior engineer midpoint",
        never=("finance",),
    ),
    Example(
        "salary bands, as somebody with the handbook only",
        "chen",
        "salary bands senior engineer midpoint",
        never=("finance", "engineering"),
    ),
    Example(
        "the manual's page of the first example, for somebody who may not see it",
        "chen",
        "which torque for the impeller nut",
        never=("finance", "engineering"),
    ),
)

# Searches that only an image encoder can answer: run where the installation has one. The pictures have no words in or
# about them, and names like a camera's.
PICTURED = (
    Example(
        "words find a picture by what it shows",
        "chen",
        "a pie chart kind:image",
        expected=(Expected("handbook/images/img-0412.png"),),
        only_kind="image",
    ),
    Example(
        "Chinese words find the same picture",
        "chen",
        "饼图 kind:image",
        expected=(Expected("handbook/images/img-0412.png", within=3),),
        only_kind="image",
    ),
    Example(
        "a flag is found by its name",
        "chen",
        "the flag of France",
        expected=(Expected("handbook/images/img-0417.png"),),
    ),
    Example(
        "what is pictured in a silent film finds its second",
        "chen",
        "a pie chart kind:video",
        expected=(Expected("handbook/images/vid-0031.mp4", second=8),),
        only_kind="video",
    ),
)
