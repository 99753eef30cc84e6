"""What do the names of files say?"""

import pytest

from workers.segments import readable_name, telling_name


@pytest.mark.parametrize(
    ("source_uri", "name"),
    [
        ("plans/wiring-diagram_v2.png", "wiring diagram v2"),
        ("https://intranet.example/a/Pump%20room.jpg?x=1", "Pump room"),
        ("图纸/消防 通道.png", "消防 通道"),
    ],
)
def test_names_that_say_something(source_uri: str, name: str) -> None:
    assert readable_name(source_uri) == telling_name(source_uri) == name


@pytest.mark.parametrize(
    "source_uri",
    ["IMG_2034.jpg", "1075716537_62105738b4.jpg", "Screenshot 2026-11-21 at 10.33.22.png", "7.png"],
)
def test_what_a_camera_counted_tells_nothing_but_can_be_read(source_uri: str) -> None:
    assert telling_name(source_uri) == ""
    assert readable_name(source_uri)
