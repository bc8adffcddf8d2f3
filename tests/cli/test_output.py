"""Files appear whole or not at all."""

import pytest

from wheelwork.cli.run import prepare_folder, write_whole


def test_a_reader_of_the_old_file_never_sees_a_part_of_the_new(tmp_path):
    path = tmp_path / "data.txt"
    path.write_text("old and complete")
    with path.open() as reader:
        write_whole(path, lambda temporary: temporary.write_text("new") and None)
        assert reader.read() == "old and complete"
    assert path.read_text() == "new"


def test_a_failed_writing_leaves_the_folder_as_it_was(tmp_path):
    def half(temporary):
        temporary.write_text("half")
        raise KeyboardInterrupt

    path = tmp_path / "data.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, half)
    assert [file.name for file in tmp_path.iterdir()] == ["data.txt"]
    assert path.read_text() == "old"


def test_preparing_makes_the_folder_and_leaves_no_probe(tmp_path):
    prepare_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
