import pytest

from assignments_lib.datasets import SOURCES, command, doodles, quickdraw, voc
from assignments_lib.datasets.command import main


def words(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")


def test_table_names_every_set_its_licence_and_how_to_get_it(capsys, tmp_path):
    assert main([], tmp_path) == 0
    shown = words(capsys)
    for source in SOURCES.values():
        assert source.name in shown
        assert source.licence in shown
        if source.download:
            assert f"assignments data {source.name} ({source.download})" in shown
    assert shown.count("not present") == len([source for source in SOURCES.values() if source.download])
    assert str(tmp_path) in shown


def test_table_says_what_is_there(capsys, shared_data):
    assert main([], shared_data) == 0
    shown = words(capsys)
    assert "3 of 345 classes (cat, rainbow, train), 3,000 drawings" in shown
    assert "3,000 pictures as JPEG" in shown
    assert "60 of 367 train, 20 of 101 val, 20 of 233 test pictures with masks" in shown
    assert "40 of 670 pictures with masks" in shown


def test_table_names_a_damaged_file(capsys, tmp_path):
    path = quickdraw.path_of("cat", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    assert main([], tmp_path) == 0
    assert "cat.npy is damaged" in words(capsys)


def test_data_root_is_the_default(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path / "elsewhere"))
    assert main([]) == 0
    assert "elsewhere" in words(capsys)


def test_unknown_name(capsys, tmp_path):
    assert main(["mnist"], tmp_path) == 1
    there_are = "doodles, quickdraw, cifar10, pets, scenes, camvid, nuclei, voc"
    assert words(capsys) == f"FAIL: there is no data set 'mnist'; there are {there_are}"


def test_embedded_data_needs_no_download(capsys, tmp_path):
    assert main(["doodles"], tmp_path) == 0
    assert words(capsys).startswith("OK: doodles needs no download")


def test_download(capsys, tmp_path, file_server, monkeypatch, shared_data):
    body = (shared_data / "quickdraw" / "numpy_bitmap" / "cat.npy").read_bytes()
    monkeypatch.setattr(quickdraw, "ADDRESSES", (file_server.url("{}.npy"),))
    for name in doodles.CLASSES:
        file_server.files[name.replace(" ", "%20") + ".npy"] = body
    assert main(["quickdraw"], tmp_path) == 0
    shown = words(capsys)
    assert f"OK: quickdraw is in {quickdraw.folder_of(tmp_path)}: 10 of 345 classes" in shown
    assert main(["quickdraw"], tmp_path) == 0
    assert len(file_server.asked) == 10  # the second time there is nothing left to fetch


@pytest.mark.parametrize("names", [["camvid"], [], ["voc", "camvid"]])
def test_only_sets_that_can_come_from_elsewhere_are_taken_from_there(capsys, tmp_path, names):
    assert main(names, tmp_path, "http://127.0.0.1/voc.tar") == 1
    assert words(capsys).startswith(
        "FAIL: --from goes with one name, voc; for other sets, data/README.md says"
    )


def test_a_place_for_an_unknown_set(capsys, tmp_path):
    assert main(["mnist"], tmp_path, "http://127.0.0.1/mnist.tar") == 1
    assert words(capsys).startswith("FAIL: there is no data set 'mnist'")


def test_voc_says_why_it_may_fail_before_and_after(capsys, tmp_path, nowhere, monkeypatch):
    monkeypatch.setattr(voc, "ADDRESSES", (nowhere + "/voc.tar",))
    monkeypatch.delenv(voc.ORIGIN, raising=False)
    main([], tmp_path)
    assert "since late 2025: --from PATH_OR_URL takes a copy or a mirror" in words(capsys)
    assert main(["voc"], tmp_path) == 1
    shown = words(capsys)
    assert "FAIL: PASCAL VOC 2012 could not be downloaded. tried http://127.0.0.1" in shown
    assert "since late 2025" in shown
    assert "assignments data voc --from PATH_OR_URL" in shown
    assert voc.ORIGIN in shown


def test_one_failure_among_several_is_told_and_counts(capsys, tmp_path, nowhere, monkeypatch):
    monkeypatch.setattr(quickdraw, "ADDRESSES", (nowhere + "/[{}].npy",))
    assert command.main(["quickdraw", "doodles"], tmp_path) == 1
    shown = words(capsys)
    assert "FAIL: Quick, Draw! 'apple' could not be downloaded." in shown
    assert f"save it as {quickdraw.path_of('apple', tmp_path)}" in shown
    assert nowhere + "/[apple].npy" in shown  # brackets are no markup
    assert "OK: doodles" in shown  # the others are still done
