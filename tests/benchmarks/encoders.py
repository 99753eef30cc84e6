"""`make bench-encoders`: how long does one input take in the encoders that come with the project?

Pictures: the shipped encoder beside a CLIP ViT-B/32 (Radford et al. 2021) on the same runtime, in float32 and as this
project would serve it in int8. The time of a network does not depend on what it learnt, so that one has random weights
and nothing is downloaded. Texts: a short Chinese question, which the student reads, beside a short English one, which
its teacher reads. One thread, one input at a time, by turns, medians. Prints one JSON object as its last line; exits 1
where the shipped picture encoder takes a third of CLIP's time or more, or Chinese 1.5 times English.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from retrieval.encoders.compact_image import CompactEncoder, CompactSource
from retrieval.encoders.export import image_graph
from retrieval.encoders.hub import module
from retrieval.encoders.image_tower import ImageTower
from retrieval.encoders.measure import int8
from retrieval.encoders.pictures import ImagePart
from retrieval.encoders.serving import load
from retrieval.encoders.student import BilingualSource

ROUNDS = 60
# DESIGN: under a third of CLIP's; at the most half as long again as English.
MOST_OF_CLIP, MOST_OF_ENGLISH = 1 / 3, 1.5
# What CLIP's processor does.
CLIP = ImagePart(
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
    scale=1 / 255,
    resample=3,
    short_px=224,
    width_px=None,
    height_px=None,
    crop_width_px=224,
    crop_height_px=224,
)
CHINESE = ["水泵的密封多久更换一次", "年假怎么申请", "报销需要哪些发票", "服务器无法登录", "去年的销售额图表"]
ENGLISH = [
    "how often is the pump seal replaced",
    "how do I apply for leave",
    "which invoices are needed for expenses",
    "cannot log in to the server",
    "chart of last year's sales",
]


def clip_graph(folder: Path) -> Path:
    """`image.onnx` of a CLIP ViT-B/32 with random weights."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    model = CLIPVisionModelWithProjection(CLIPVisionConfig(projection_dim=512)).eval()
    image_graph(
        module(model, lambda pixel_values: model(pixel_values=pixel_values).image_embeds),
        CLIP,
        folder,
        dimensions=512,
    )
    return folder / "image.onnx"


def medians_ms(runs: dict[str, Callable[[int], object]]) -> dict[str, float]:
    """By turns, so that what else the machine does slows all alike."""
    for run in runs.values():  # The first run allocates.
        run(0)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS):
        for name, run in runs.items():
            start = time.perf_counter()
            run(turn)
            taken[name].append((time.perf_counter() - start) * 1000)
    return {name: round(statistics.median(times), 2) for name, times in taken.items()}


def main() -> int:
    random = np.random.default_rng(0)
    # A photograph as a phone sends it, already decoded and scaled as thumbnails are.
    photo = Image.fromarray(random.integers(0, 256, (384, 512, 3), dtype=np.uint8))
    with tempfile.TemporaryDirectory() as work:
        text = load(BilingualSource(), Path(work) / "models", threads=1)
        compact = CompactEncoder(CompactSource(), text, threads=1)
        graph = clip_graph(Path(work))
        float32 = ImageTower(graph, CLIP, threads=1)
        quantised = ImageTower(int8(graph), CLIP, threads=1)
        pictures = medians_ms(
            {
                "shipped": lambda _: compact.encode_images([photo]),
                "clip_vit_b32_float32": lambda _: float32.encode([photo]),
                "clip_vit_b32_int8": lambda _: quantised.encode([photo]),
            }
        )
        texts = medians_ms(
            {
                "chinese": lambda turn: text.encode_texts([CHINESE[turn % 5]], query=True),
                "english": lambda turn: text.encode_texts([ENGLISH[turn % 5]], query=True),
            }
        )
    fastest = min(time for name, time in pictures.items() if name != "shipped")
    of_clip, of_english = pictures["shipped"] / fastest, texts["chinese"] / texts["english"]
    print(
        f"A picture takes {of_clip:.3f} of CLIP ViT-B/32's time, Chinese {of_english:.2f} of that of English."
    )
    shares = {"of_clip": round(of_clip, 4), "of_english": round(of_english, 3)}
    print(json.dumps({"pictures_ms": pictures, "texts_ms": texts, **shares}))
    return int(of_clip >= MOST_OF_CLIP or of_english > MOST_OF_ENGLISH)


if __name__ == "__main__":
    sys.exit(main())
