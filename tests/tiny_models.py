"""Which models do the encoders' tests use? Tiny ones of random weights, made here, saved as the hub does."""

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789水泵密封圈"
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
TEXTS = ["the pump", "a much longer sentence about the seal of a pump", "水泵", ""]


def tokenizer() -> Tokenizer:
    """A token for each letter, between start and end."""
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *LETTERS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Split("", "isolated")]
    )
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return made


def save_tokenizer(folder: Path, *, max_length: int) -> None:
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(),
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=max_length,
    ).save_pretrained(folder)


_VOCABULARY = len(SPECIAL) + len(LETTERS)
_LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def save_clip(folder: Path) -> None:
    """Short side to 32, centre crop of 32: the geometry of CLIP."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    torch.manual_seed(0)
    text = _LAYERS | {"vocab_size": _VOCABULARY, "max_position_embeddings": 24}
    text |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    vision = _LAYERS | {"image_size": 32, "patch_size": 8}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    save_tokenizer(folder, max_length=24)


def save_siglip(folder: Path) -> None:
    """Stretched to 32 x 32, every text filled up to 16 tokens: the ways of SigLIP."""
    import torch
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    torch.manual_seed(0)
    text = _LAYERS | {"vocab_size": _VOCABULARY, "max_position_embeddings": 16, "projection_size": 32}
    vision = _LAYERS | {"image_size": 32, "patch_size": 8}
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    save_tokenizer(folder, max_length=16)


def save_bert(folder: Path) -> None:
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(**_LAYERS, vocab_size=_VOCABULARY, max_position_embeddings=40, pad_token_id=0)
    BertModel(config).save_pretrained(folder)
    save_tokenizer(folder, max_length=40)
