"""How does a transformers dual encoder become two graphs in one space? CLIP, SigLIP, Chinese-CLIP, AltCLIP.

Radford et al. 2021 (CLIP), Zhai et al. 2023 (SigLIP), Tschannen et al. 2025 (SigLIP 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.encoders import hub
from retrieval.encoders.base import EncoderError
from retrieval.encoders.export import image_graph, most_tokens, text_graph
from retrieval.encoders.manifest import Exported
from retrieval.encoders.pictures import ImagePart
from retrieval.encoders.text_tower import TextPart

# Raised when this file computes something else from the same model.
EXPORT = 1
FAMILIES = frozenset({"clip", "siglip", "siglip2", "chinese_clip", "altclip"})


@dataclass(frozen=True, slots=True)
class DualSource:
    """`name`: of the hub, or a local folder."""

    name: str

    @property
    def recipe(self) -> Mapping[str, Any]:
        return {"family": "dual", "export": EXPORT}

    def export(self, folder: Path) -> Exported:
        source = hub.model_folder(self.name)
        model = hub.load_model(source)
        family = model.config.model_type
        if family not in FAMILIES:
            raise EncoderError(
                f"{self.name} is a {family} model; of pictures, {', '.join(sorted(FAMILIES))} are known."
            )
        tokenizer = hub.load("AutoTokenizer", source)
        # SigLIP's towers were trained without an attention mask, on texts filled up to their full length.
        unmasked = family.startswith("siglip")
        text = TextPart(
            max_tokens=most_tokens(tokenizer, model.config.text_config),
            pad_id=_pad_id(tokenizer),
            pad_side=tokenizer.padding_side if unmasked else "right",
            always_full=unmasked,
        )
        image = _image_part(hub.load("AutoImageProcessor", source))
        text_module, image_module = _towers(model, masked=not unmasked)
        dimensions = _dimensions(model)
        text_graph(text_module, tokenizer, text, folder, masked=not unmasked, dimensions=dimensions)
        image_graph(image_module, image, folder, dimensions=dimensions)
        return Exported(
            content_sha256=hub.content_sha256(source), dimensions=dimensions, text=text, image=image
        )


def _pad_id(tokenizer: Any) -> int:
    return int(tokenizer.pad_token_id) if tokenizer.pad_token_id is not None else 0


def _dimensions(model: Any) -> int:
    """SigLIP has no projection: its towers' own width is the space's."""
    width = getattr(model.config, "projection_dim", None) or model.config.text_config.projection_size
    return int(width)


def _towers(model: Any, *, masked: bool) -> tuple[Any, Any]:
    """Modules (input_ids[, attention_mask]) -> (N, D) and (pixel_values) -> (N, D)."""

    def text(input_ids: Any, attention_mask: Any = None) -> Any:
        mask = {"attention_mask": attention_mask} if masked else {}
        return model.get_text_features(input_ids=input_ids, **mask).pooler_output

    def image(pixel_values: Any) -> Any:
        return model.get_image_features(pixel_values=pixel_values).pooler_output

    return hub.module(model, text), hub.module(model, image)


def _image_part(processor: Any) -> ImagePart:
    """What transformers' image processor does, what its class assumes included, as plain values."""
    size = dict(processor.size) if processor.do_resize else {}
    crop = dict(processor.crop_size) if getattr(processor, "do_center_crop", None) else {}
    known = {"shortest_edge", "height", "width"}
    if any(value for key, value in size.items() if key not in known):
        raise EncoderError(f"Pictures of this model are scaled in a way that is not known here: {size}.")
    normalised = processor.do_normalize
    return ImagePart(
        mean=tuple(processor.image_mean) if normalised else (0.0, 0.0, 0.0),
        std=tuple(processor.image_std) if normalised else (1.0, 1.0, 1.0),
        scale=float(processor.rescale_factor) if processor.do_rescale else 1.0,
        resample=int(processor.resample),
        short_px=size.get("shortest_edge"),
        width_px=size.get("width"),
        height_px=size.get("height"),
        crop_width_px=crop.get("width"),
        crop_height_px=crop.get("height"),
    )
