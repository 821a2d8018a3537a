import io
import warnings
from pathlib import Path

import numpy as np
import pytest

from assignments_lib.datasets import doodles, quickdraw
from assignments_lib.datasets.download import CorruptFileError, DownloadError

OLD_HEADER = 80  # bytes: what Google's own files begin with


def drawings(count: int, seed: int = 0) -> np.ndarray:
    """Rows that differ from each other, ink in each."""
    return np.random.default_rng(seed).integers(1, 256, (count, 784), dtype=np.uint8)


def npy(rows: np.ndarray, header: int = 128) -> bytes:
    """A .npy file as Google wrote it (80 bytes of header) or as numpy does today (128)."""
    file = io.BytesIO()
    np.save(file, rows)
    body = file.getvalue()
    if header == 128:
        return body
    text = body[10:128].decode().rstrip() + " "
    text = text.ljust(header - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + body[128:]


def put(root: Path, name: str, rows: np.ndarray) -> Path:
    path = quickdraw.path_of(name, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(npy(rows))
    return path


@pytest.fixture
def server(file_server, monkeypatch):
    """Serves three classes where quickdraw looks for them."""
    monkeypatch.setattr(quickdraw, "ADDRESSES", (file_server.url("{}.npy"),))
    for seed, name in enumerate(("cat", "wine%20bottle", "train")):
        file_server.files[f"{name}.npy"] = npy(drawings(3000, seed), OLD_HEADER)
    return file_server


@pytest.fixture
def offline(monkeypatch, nowhere):
    monkeypatch.setattr(quickdraw, "ADDRESSES", (nowhere + "/{}.npy",))


def test_old_header_has_the_length_that_google_uses():
    body = npy(drawings(1), OLD_HEADER)
    assert len(body) == OLD_HEADER + 784
    assert np.array_equal(np.load(io.BytesIO(body)), drawings(1))


@pytest.mark.parametrize("header", [OLD_HEADER, 128])
def test_only_the_first_drawings_are_fetched(server, tmp_path, header):
    server.files["cat.npy"] = npy(drawings(3000), header)
    path = quickdraw.fetch_class("cat", tmp_path, rows=100)
    assert np.array_equal(np.load(path, allow_pickle=False), drawings(3000)[:100])
    assert server.asked == [("cat.npy", f"bytes=0-{128 + 100 * 784 - 1}")]
    assert [file.name for file in path.parent.iterdir()] == ["cat.npy"]


@pytest.mark.parametrize("rows", [None, 5000])
def test_the_whole_file(server, tmp_path, rows):
    path = quickdraw.fetch_class("cat", tmp_path, rows=rows)
    assert np.array_equal(np.load(path), drawings(3000))


def test_a_broken_transfer_is_resumed(server, tmp_path):
    server.cuts = [50_000]
    path = quickdraw.fetch_class("cat", tmp_path, rows=100)
    assert np.array_equal(np.load(path), drawings(3000)[:100])
    assert int(server.asked[-1][1].removeprefix("bytes=").split("-")[0]) > 0


def test_spaces_in_names(server, tmp_path):
    pictures = quickdraw.load("train", classes=["wine bottle"], per_class=3, root=tmp_path)
    assert pictures.classes == ("wine bottle",)
    assert server.asked[0][0] == "wine%20bottle.npy"


def test_a_login_page_is_not_kept(server, tmp_path):
    server.files["cat.npy"] = b"<html>Please log in to the network</html>" * 100
    with pytest.raises(DownloadError, match="login page"):
        quickdraw.fetch_class("cat", tmp_path)
    assert list(quickdraw.folder_of(tmp_path).iterdir()) == []


def test_pickled_objects_are_refused(server, tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([[{"a": 1}] * 784]), allow_pickle=True)
    server.files["cat.npy"] = file.getvalue()
    with pytest.raises(DownloadError, match="it holds object"):
        quickdraw.fetch_class("cat", tmp_path)


def test_load_form_and_turns(server, tmp_path):
    pictures = quickdraw.load("train", classes=["train", "cat"], per_class=50, root=tmp_path)
    assert pictures.name == "quickdraw"
    assert pictures.images.shape == (100, 1, 28, 28)
    assert pictures.labels.tolist() == [0, 1] * 50
    cats = pictures.images[pictures.labels == 1].reshape(-1, 784).numpy()
    rows = drawings(3000)
    assert np.array_equal(cats[:5], rows[[0, 1, 2, 3, 5]])  # row 4 is a test drawing


def test_splits_share_nothing_and_leave_nothing_out(server, tmp_path):
    parts = [quickdraw.load(split, classes=["cat"], root=tmp_path) for split in ("train", "test")]
    seen = [{image.tobytes() for image in part.images.numpy()} for part in parts]
    assert not seen[0] & seen[1]
    assert seen[0] | seen[1] == {row.tobytes() for row in drawings(3000)[: quickdraw.ROWS]}
    assert len(parts[0]) == 4 * len(parts[1])


def test_a_drawing_keeps_its_side_when_more_are_fetched(server, tmp_path):
    before = quickdraw.load("test", classes=["cat"], root=tmp_path)
    after = quickdraw.load("test", classes=["cat"], per_class=500, root=tmp_path)
    assert len(before) == quickdraw.ROWS // 5
    assert len(after) == 500
    assert after.images[: len(before)].equal(before.images)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("per_class", [1, 4, 5, 1499, 1500, 1501])
def test_as_many_as_asked_for(server, tmp_path, split, per_class, monkeypatch):
    monkeypatch.setattr(quickdraw, "ROWS", 1)  # so that exactly what is needed is fetched
    server.files["cat.npy"] = npy(drawings(8000))
    assert len(quickdraw.load(split, classes=["cat"], per_class=per_class, root=tmp_path)) == per_class


def test_no_more_is_fetched_than_needed(server, tmp_path):
    quickdraw.load("train", classes=["cat"], per_class=1500, root=tmp_path)
    quickdraw.load("test", classes=["cat"], per_class=375, root=tmp_path)
    assert len(server.asked) == 1


def test_size(server, tmp_path):
    assert quickdraw.load("test", classes=["cat"], size=64, root=tmp_path).images.shape == (375, 1, 64, 64)


def test_offline_with_everything_there_is_silent(offline, tmp_path):
    put(tmp_path, "cat", drawings(100))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = quickdraw.load("train", classes=["cat"], per_class=80, root=tmp_path)
    assert len(pictures) == 80


def test_offline_with_two_of_ten_goes_on_with_a_warning(offline, tmp_path):
    put(tmp_path, "train", drawings(10))
    put(tmp_path, "cat", drawings(10))
    with pytest.warns(
        UserWarning, match=r"going on with cat, train; missing: apple, .*hospital\.\n"
    ) as caught:
        pictures = quickdraw.load("train", root=tmp_path)
    assert pictures.classes == ("cat", "train")  # the order of the ten
    assert set(pictures.labels.tolist()) == {0, 1}
    assert "apple.npy" in str(caught[0].message)  # where to put the first of them by hand


def test_offline_strict(offline, tmp_path):
    for name in ("cat", "train"):
        put(tmp_path, name, drawings(10))
    with pytest.raises(DownloadError, match="apple"):
        quickdraw.load("train", root=tmp_path, strict=True)


def test_offline_with_one_of_ten_is_not_a_data_set(offline, tmp_path):
    put(tmp_path, "cat", drawings(10))
    with pytest.raises(DownloadError, match="can't be reached"):
        quickdraw.load("train", root=tmp_path)


def test_offline_with_too_few_drawings(offline, tmp_path):
    put(tmp_path, "cat", drawings(10))
    with pytest.warns(UserWarning, match="fewer drawings a class"):
        pictures = quickdraw.load("train", classes=["cat"], per_class=100, root=tmp_path)
    assert len(pictures) == 8


def test_offline_asks_once_not_ten_times(tmp_path, monkeypatch):
    asked = []

    def fail(name: str, root: Path, rows: int) -> Path:
        asked.append(name)
        raise DownloadError(name, offline=True)

    monkeypatch.setattr(quickdraw, "fetch_class", fail)
    with pytest.raises(DownloadError):
        quickdraw.load("train", root=tmp_path)
    assert asked == [doodles.CLASSES[0]]


@pytest.mark.parametrize("length", [0, 5, 100, 128 + 784 * 9 + 3, 128 + 784 * 10 - 1])
def test_cut_short(offline, tmp_path, length):
    path = put(tmp_path, "cat", drawings(10))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CorruptFileError) as caught:
        quickdraw.load("train", classes=["cat"], root=tmp_path)
    assert str(path) in str(caught.value)
    assert "Delete it and load again" in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        drawings(10)[:, :100],
        drawings(10).astype(np.float32),
        drawings(10).reshape(-1),
        np.asfortranarray(drawings(10)),
    ],
    ids=["narrow", "float", "flat", "column by column"],
)
def test_another_array(tmp_path, rows):
    path = put(tmp_path, "cat", rows)
    with pytest.raises(CorruptFileError, match="it holds"):
        quickdraw.count(path)


def test_too_long(tmp_path):
    path = put(tmp_path, "cat", drawings(10))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(CorruptFileError, match="7,972 bytes where its header promises 7,968"):
        quickdraw.count(path)


def test_a_hole_of_zeros(tmp_path):
    rows = drawings(100)
    rows[50:] = 0
    put(tmp_path, "cat", rows)
    with pytest.raises(CorruptFileError, match="50% of its drawings are empty"):
        quickdraw.load("train", classes=["cat"], root=tmp_path)


def test_read_only_folder_still_reads(offline, tmp_path):
    path = put(tmp_path, "cat", drawings(10))
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert len(quickdraw.load("train", classes=["cat"], root=tmp_path)) == 8
    finally:
        path.parent.chmod(0o755)


def test_present(tmp_path):
    assert quickdraw.present(tmp_path) == ""
    put(tmp_path, "cat", drawings(1000))
    assert quickdraw.present(tmp_path) == "1 of 345 classes (cat), 1,000 drawings"


def test_real_drawings(offline, shared_data):
    names = ("rainbow", "cat", "train")
    train, test = (quickdraw.load(split, classes=names, root=shared_data) for split in ("train", "test"))
    assert train.classes == names
    assert (len(train), len(test)) == (2400, 600)
    ink = (train.images > 0).float().mean().item()
    assert 0.1 < ink < 0.5  # light lines on a dark ground, not the other way round
    assert train.images.max() == 255
    assert train.images[:, 0].float().mean(0)[14].mean() > train.images[:, 0].float().mean(0)[0].mean()
