"""Does `kb ingest` take the files a person means, and call them what they expect?"""

import os
from pathlib import Path

import pytest

from workers.cli.files import PathError, find


def _make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def test_a_folder_is_walked_in_order_with_names_relative_to_it(tmp_path: Path) -> None:
    _make(tmp_path, "b.txt", "a/z.txt", "a/b/c.txt", ".hidden")
    assert [name for name, _ in find([str(tmp_path)]).files] == [".hidden", "a/b/c.txt", "a/z.txt", "b.txt"]


def test_version_control_is_left_out_but_other_hidden_folders_are_not(tmp_path: Path) -> None:
    _make(tmp_path, ".git/config", "sub/.svn/entries", ".notes/todo.txt", "git/readme")
    assert [name for name, _ in find([str(tmp_path)]).files] == [".notes/todo.txt", "git/readme"]


def test_links_and_pipes_are_counted_not_followed(tmp_path: Path) -> None:
    _make(tmp_path, "real.txt")
    (tmp_path / "to-file").symlink_to(tmp_path / "real.txt")
    (tmp_path / "in-circles").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    found = find([str(tmp_path)])
    assert [name for name, _ in found.files] == ["real.txt"]
    assert (found.links, found.special) == (3, 1)


def test_with_several_folders_names_begin_with_the_folders_own(tmp_path: Path) -> None:
    _make(tmp_path, "one/readme.md", "two/readme.md")
    found = find([str(tmp_path / "one"), str(tmp_path / "two")])
    assert [name for name, _ in found.files] == ["one/readme.md", "two/readme.md"]


def test_a_file_keeps_its_name(tmp_path: Path) -> None:
    _make(tmp_path, "deep/down/report.pdf")
    assert [name for name, _ in find([str(tmp_path / "deep/down/report.pdf")]).files] == ["report.pdf"]


def test_two_files_of_one_name_are_refused_rather_than_merged(tmp_path: Path) -> None:
    _make(tmp_path, "one/a.txt", "two/a.txt")
    with pytest.raises(PathError, match=r"both be called 'a\.txt'"):
        find([str(tmp_path / "one/a.txt"), str(tmp_path / "two/a.txt")])


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="nowhere"):
        find([str(tmp_path / "nowhere")])
