"""Do passages keep every word of a document, in spans that are right and of a size that an encoder reads?"""

from hypothesis import given
from hypothesis import strategies as st

from workers.extract.base import TextBlock
from workers.passages import Passage, document_text, passages

_WORDS = st.text(alphabet="abz .!?\n，。！中文数据 \t-é😀", max_size=1500)
_BLOCKS = st.lists(
    st.builds(
        TextBlock,
        text=_WORDS,
        role=st.sampled_from(["paragraph", "heading", "list", "table", "code"]),
        level=st.integers(1, 4),
        page=st.one_of(st.none(), st.integers(1, 3)),
    ),
    max_size=12,
)


def _squeezed(text: str) -> str:
    return "".join(text.split())


@given(_BLOCKS)
def test_no_text_is_lost_and_none_is_said_twice(blocks: list[TextBlock]) -> None:
    found = passages(blocks)
    assert "".join(_squeezed(passage.text) for passage in found) == _squeezed(document_text(blocks))


@given(_BLOCKS)
def test_every_span_is_where_its_text_stands(blocks: list[TextBlock]) -> None:
    text = document_text(blocks)
    found = passages(blocks)
    assert all(text[passage.char_start : passage.char_end] == passage.text for passage in found)
    edges = [edge for passage in found for edge in (passage.char_start, passage.char_end)]
    assert edges == sorted(edges)


@given(_BLOCKS)
def test_no_passage_is_longer_than_an_encoder_reads(blocks: list[TextBlock]) -> None:
    # 180 words of at most 9 letters each, or as many pieces of longer ones.
    assert all(len(_squeezed(passage.text)) <= 180 * 9 for passage in passages(blocks))


def _paths(found: list[Passage]) -> list[tuple[str, ...]]:
    return [passage.heading_path for passage in found]


def _heading(text: str, level: int) -> TextBlock:
    return TextBlock(text, role="heading", level=level)


def test_a_passage_ends_before_the_next_section_and_knows_its_headings() -> None:
    body = "A sentence of six words here. " * 10
    found = passages(
        [
            _heading("Manual", 1),
            _heading("Pumps", 2),
            TextBlock(body),
            _heading("Valves", 2),
            TextBlock(body),
            _heading("Appendix", 1),
            TextBlock("Short."),
        ]
    )
    assert _paths(found) == [("Manual", "Pumps"), ("Manual", "Valves"), ("Appendix",)]
    assert found[0].text.startswith("Manual\n\nPumps\n\nA sentence")


def test_tiny_sections_of_one_level_share_a_passage() -> None:
    found = passages([_heading("A", 2), TextBlock("One."), _heading("B", 2), TextBlock("Two.")])
    assert [passage.text for passage in found] == ["A\n\nOne.\n\nB\n\nTwo."]


def test_a_long_english_paragraph_is_cut_at_sentence_ends() -> None:
    found = passages([TextBlock("The pump must be primed before it starts. " * 60, page=4)])
    assert len(found) == 3  # 480 words, at most 180 each.
    assert all(passage.text.startswith("The pump") and passage.text.endswith("starts.") for passage in found)
    assert {passage.page for passage in found} == {4}


def test_a_long_chinese_paragraph_is_cut_at_sentence_ends() -> None:
    found = passages([TextBlock("员工请假应当提前三个工作日提出申请。" * 50)])
    assert len(found) == 3  # 900 characters, at most 350 each.
    assert all(passage.text.startswith("员工") and passage.text.endswith("申请。") for passage in found)


def test_text_of_another_page_begins_a_passage_of_its_own() -> None:
    body = "A sentence of six words here. " * 10
    found = passages([TextBlock(body, page=1), TextBlock(body, page=2)])
    assert [passage.page for passage in found] == [1, 2]


def test_slides_of_a_few_words_stay_apart_so_that_a_hit_opens_its_own_slide() -> None:
    blocks = [
        TextBlock("Pump HX-40", role="heading", level=1, page=1),
        TextBlock("Seals", role="heading", level=1, page=2),
        TextBlock("Replace yearly.", page=2),
        TextBlock("Torque", role="heading", level=1, page=3),
        TextBlock("85 Nm.", page=3),
    ]
    assert [(passage.page, passage.text) for passage in passages(blocks)] == [
        (1, "Pump HX-40"),
        (2, "Seals\n\nReplace yearly."),
        (3, "Torque\n\n85 Nm."),
    ]


@given(_BLOCKS)
def test_every_word_of_a_passage_stands_on_its_page(blocks: list[TextBlock]) -> None:
    starts = [len(document_text(blocks[:number])) + 2 * bool(number) for number in range(len(blocks))]
    for passage in passages(blocks):
        pages = {
            block.page
            for block, start in zip(blocks, starts, strict=True)
            if block.text.strip()
            and start < passage.char_end
            and passage.char_start < start + len(block.text)
        }
        assert pages == {passage.page}


def test_no_blocks_give_no_passages() -> None:
    assert passages([]) == []
