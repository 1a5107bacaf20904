"""The image: whole, the same each time, loadable, and refused when it would not fit."""

import hashlib
import json
import struct

import pytest

from tools import image, partitions


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An image for the unix port, so that it can be loaded here."""
    out = tmp_path_factory.mktemp("image") / "image"
    return out, image.build(out, "x64")


def test_the_same_source_gives_the_same_bytes(built, tmp_path):
    out, manifest = built
    again = image.build(tmp_path / "elsewhere", "x64")
    assert again == manifest
    assert (tmp_path / "elsewhere" / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()


def test_every_module_is_in_it_and_the_manifest_is_true(built):
    out, manifest = built
    paths = {file["path"] for file in manifest["files"]}
    for layer in image.LAYERS:
        for source in (image.ROOT / layer).rglob("*.py"):
            name = source.relative_to(image.ROOT).as_posix()
            assert image.PLAIN.get(name, name[:-3] + ".mpy") in paths
    assert {"main.py", "boot.py", "settings.json", "sensors.json"} <= paths
    assert any(path.startswith("sound/") and path.endswith(".wav") for path in paths)
    assert not any("hal_sim" in path or "test" in path.split("/")[0] for path in paths)
    for file in manifest["files"]:
        data = (out / file["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
    assert json.loads((out / "manifest.json").read_text()) == manifest
    assert [file["path"] for file in manifest["files"] if file["keep"]] == ["sensors.json", "settings.json"]


def test_the_modules_load_on_micropython(built, micropython):
    out, manifest = built
    names = [
        file["path"][:-4].replace("/", ".").replace(".__init__", "")
        for file in manifest["files"]
        if file["path"].endswith(".mpy") and not file["path"].startswith("firmware/boards/esp32s3")
    ]
    program = f"import sys\nsys.path.insert(0, {str(out)!r})\nfor name in {names!r}:\n    __import__(name)\n"
    program += "print(len([name for name in sys.modules if name.split('.')[0] in ('firmware', 'drivers', 'zigbee')]))"
    done = micropython(["-c", program], env={"MICROPYPATH": f"{out}:.frozen"})
    assert int(done) >= len(names)


def test_only_native_modules_are_bound_to_a_processor(built, tmp_path):
    out, manifest = built
    image.build(tmp_path / "board", image.BOARD_ARCH)
    for file in manifest["files"]:
        if file["path"].endswith(".mpy"):
            data = (out / file["path"]).read_bytes()
            assert image.is_native(data) == (data != (tmp_path / "board" / file["path"]).read_bytes())
            assert data[:2] == b"M\x06"


@pytest.mark.parametrize(
    "limit, words",
    [("MODULE_LIMIT_BYTES", "a module may have"), ("CODE_LIMIT_BYTES", "the modules have"),
     ("FILL_LIMIT_PERCENT", "of the file system")],
)
def test_what_does_not_fit_is_refused_in_one_line(monkeypatch, tmp_path, capsys, limit, words):
    monkeypatch.setattr(image, limit, 1)
    assert image.main(["--out", str(tmp_path / "image")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and words in error
    assert not (tmp_path / "image").exists()


def test_a_failed_build_leaves_the_image_before_it(monkeypatch, tmp_path, capsys):
    out = tmp_path / "image"
    image.build(out)
    before = (out / "manifest.json").read_bytes()
    monkeypatch.setattr(image, "CODE_LIMIT_BYTES", 1)
    assert image.main(["--out", str(out)]) == 1
    assert (out / "manifest.json").read_bytes() == before


def test_a_syntax_error_is_one_line_with_its_place(monkeypatch, tmp_path, capsys):
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware" / "bad.py").write_text("a = 1\nb = = 2\n")
    (tmp_path / "build").mkdir()
    monkeypatch.setattr(image, "ROOT", tmp_path)
    assert image.main(["--out", str(tmp_path / "image")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "firmware/bad.py:2 does not compile" in error


def test_sounds_that_cannot_be_made_are_one_line(monkeypatch, tmp_path, capsys):
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware" / "good.py").write_text("a = 1\n")
    monkeypatch.setattr(image, "ROOT", tmp_path)
    assert image.main(["--out", str(tmp_path / "image")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "spoken texts" in error


def test_another_compiler_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(image, "MPY_VERSION", "7.0")
    with pytest.raises(image.ImageError, match="other files than .mpy 7.0"):
        image.build(tmp_path / "image")


def test_the_partition_table_is_what_the_boot_loader_reads():
    table = partitions.binary(partitions.read(partitions.CSV.read_text()))
    assert len(table) == 0xC00
    entries = {}
    for at in range(0, len(table), 32):
        magic, kind, subtype, offset, size, name, flags = struct.unpack("<HBBII16sI", table[at : at + 32])
        if magic != 0x50AA:
            break
        entries[name.rstrip(b"\0").decode()] = (kind, subtype, offset, size, flags)
    assert table[at : at + 16] == b"\xeb\xeb" + b"\xff" * 14
    assert table[at + 16 : at + 32] == hashlib.md5(table[:at]).digest()
    assert set(table[at + 32 :]) == {0xFF}
    assert entries["factory"] == (0, 0, 0x10000, 0x1F0000, 0)
    assert entries["journal"] == (1, 6, 0x200000, 0x10000, 0)
    assert entries["vfs"] == (1, 0x81, 0x800000, 0x800000, 0)


@pytest.mark.parametrize(
    "line, words",
    [("x, data, fat, 0x200000, 0x1000", "overlaps"), ("x, data, fat, 0xfff000, 0x2000", "behind the flash"),
     ("x, data, fat, 0x210800, 0x1000", "aligned"), ("x, app, factory, 0x211000, 0x1000", "aligned"),
     ("x, data, fat, 0x210000", "expected"), ("x, data, nonsense, 0x210000, 0x1000", "expected"),
     ("x, data, fat, here, 0x1000", "numbers")],
)
def test_a_wrong_partition_table_is_refused(line, words):
    text = "journal, data, undefined, 0x200000, 0x10000\n" + line
    with pytest.raises(ValueError, match=words):
        partitions.read(text)
