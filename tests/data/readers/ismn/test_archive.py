"""Folders and zips, and zips that someone made to do harm."""

import stat
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from diffhydro.data.readers.ismn import list_ismn, looks_like_ismn, read_ismn
from diffhydro.errors import InputError
from tests.data.readers.ismn.made import HEAD, NAME, STATIC, named, packed, records, station, write

MOISTURE = np.round(0.2 + 0.001 * np.arange(72), 4)
MEMBER = f"NET/A-1/{NAME}"
TEXT = "\r\n".join([HEAD, *records(MOISTURE)])


def zipped(target, *members, mode="w"):
    with zipfile.ZipFile(target, mode, zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return target


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    write(folder, records(MOISTURE))
    write(folder, records(MOISTURE + 5.0), name=named("ts", 0.05))
    (folder / "NET/A-1/NET_NET_A-1_static_variables.csv").write_bytes(STATIC.encode())
    (folder / "Metadata.xml").write_text("<xml/>")
    (folder / "Readme.txt").write_text("read me")
    return folder


def test_folder_and_zips_with_and_without_a_top_folder_are_the_same(tmp_path, tree):
    expected = read_ismn(tree)
    assert expected["sand"].item() == 36.0
    assert expected["soil_temperature"].notnull().any()
    for below in ("", "Data_seperate_files_header_20200101_20201231/", "anything/at all/"):
        found = read_ismn(packed(tree, tmp_path / "any name.zip", below))
        assert found.drop_attrs(deep=False).identical(expected.drop_attrs(deep=False))
        assert found.attrs["files"] == "any name.zip"
    assert read_ismn(packed(tree, tmp_path / "no suffix")).sizes == expected.sizes


def test_slashes_of_windows_and_hidden_files_of_macos(tmp_path, tree):
    target = zipped(
        tmp_path / "a.zip",
        (f"top\\NET\\A-1\\{NAME}", TEXT),
        (f"__MACOSX/NET/A-1/._{NAME}", b"\0\1\2"),
        (f"NET/A-1/._{NAME}", b"\0\1\2"),
    )
    np.testing.assert_array_equal(read_ismn(target)["soil_moisture"], daily(tree))


def daily(tree):
    return read_ismn(tree, variables=["sm"])["soil_moisture"]


def test_a_single_file_and_the_folder_of_a_station(tree):
    for path in (tree / MEMBER, tree / "NET/A-1", tree / "NET"):
        np.testing.assert_array_equal(daily(path), daily(tree))


@pytest.mark.parametrize(
    "name",
    [
        f"../{NAME}",
        f"NET/../../{NAME}",
        f"/etc/{NAME}",
        f"C:/{NAME}",
        f"C:\\{NAME}",
        f"\\\\host\\share\\{NAME}",
        f"NET\\..\\..\\{NAME}",
    ],
)
def test_paths_that_lead_out_are_refused_and_nothing_is_written(tmp_path, name):
    folder = tmp_path / "inner" / "most"
    folder.mkdir(parents=True)
    target = zipped(folder / "a.zip", (MEMBER, TEXT), (name, TEXT))
    with pytest.raises(InputError, match="leads out of the archive"):
        read_ismn(target)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [target]


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo(MEMBER)
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="is a link or a device"):
        read_ismn(tmp_path / "a.zip")


def test_a_link_in_a_folder_is_not_followed_to_another(tmp_path, tree):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link").symlink_to(tree, target_is_directory=True)
    with pytest.raises(InputError, match="no file of the network"):
        read_ismn(tmp_path / "other")


def test_bombs_are_refused_before_they_are_opened(tmp_path):
    target = zipped(tmp_path / "a.zip", (MEMBER, TEXT), ("bomb.txt", b" " * 2**22))
    with pytest.raises(InputError, match=r"'bomb.txt' is packed \d+ : 1"):
        read_ismn(target)
    whole = target.read_bytes()
    target.write_bytes(whole.replace(struct.pack("<I", 2**22), struct.pack("<I", 2**28 + 1)))
    with pytest.raises(InputError, match=r"'bomb\.txt' has more than"):
        read_ismn(target)


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_further(tmp_path):
    target = zipped(tmp_path / "a.zip", (MEMBER, TEXT + " " * 2**25))
    whole = target.read_bytes()
    size = struct.pack("<I", len(TEXT) + 2**25)
    assert whole.count(size) == 2
    target.write_bytes(whole.replace(size, struct.pack("<I", len(TEXT))))
    tracemalloc.start()
    with pytest.raises(InputError, match="Bad CRC-32"):
        read_ismn(target)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**23


def test_the_ratio_of_honest_archives_is_far_from_the_limit(tmp_path):
    path = write(tmp_path / "tree", records([-9999.0] * 87_600, "M"))
    target = packed(tmp_path / "tree", tmp_path / "a.zip")
    assert path.stat().st_size / target.stat().st_size < 100
    assert read_ismn(target)["soil_moisture"].isnull().all()


def test_overlapping_members_are_refused(tmp_path):
    target = zipped(tmp_path / "a.zip", ("b.stm", TEXT), (MEMBER, TEXT))
    with zipfile.ZipFile(target) as archive:
        first, second = (info.header_offset for info in archive.infolist())
        size = archive.infolist()[0].compress_size
    whole = bytearray(target.read_bytes())
    # Both directory entries claim bytes that only a longer file would have.
    for at in (whole.find(b"PK\1\2"), whole.rfind(b"PK\1\2")):
        whole[at + 20 : at + 24] = struct.pack("<I", len(whole) - 100)
    assert first < second < len(whole)
    assert size < len(whole) - 100
    target.write_bytes(whole)
    with pytest.raises(InputError, match="some overlap"):
        read_ismn(target)


def test_encrypted_members_are_refused(tmp_path):
    target = zipped(tmp_path / "a.zip", (MEMBER, TEXT))
    whole = bytearray(target.read_bytes())
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        whole[whole.find(signature) + at] |= 1
    target.write_bytes(whole)
    with pytest.raises(InputError, match="is encrypted"):
        read_ismn(target)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_are_there_twice_are_refused(tmp_path):
    target = zipped(tmp_path / "a.zip", (MEMBER, TEXT), (MEMBER, TEXT.replace("0.2", "0.3")))
    with pytest.raises(InputError, match="is there twice"):
        read_ismn(target)
    zipped(target, (MEMBER, TEXT), (MEMBER.replace("/", "\\"), TEXT))
    with pytest.raises(InputError, match="is there twice"):
        read_ismn(target)


def test_names_with_a_zero_byte_and_other_packings_are_refused(tmp_path):
    target = zipped(tmp_path / "a.zip", (MEMBER, TEXT))
    whole = target.read_bytes().replace(b"NET/A-1/", b"NET/A-1\0")
    target.write_bytes(whole)
    with pytest.raises(InputError, match="zero byte"):
        read_ismn(target)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(MEMBER, TEXT)
    with pytest.raises(InputError, match="another method than deflate"):
        read_ismn(target)


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.zip").write_text("text")
    (tmp_path / "empty").mkdir()
    zipped(tmp_path / "c.zip", ("readme.txt", "text"))
    for name, match in (
        ("a.txt", "is no archive of the International"),
        ("b.zip", "is not readable as an archive.*not a zip file"),
        ("c.zip", "no file of the network"),
        ("empty", "no file of the network"),
        ("nothing", "no file or folder at"),
    ):
        with pytest.raises(InputError, match=match):
            read_ismn(tmp_path / name)
        assert not looks_like_ismn(tmp_path / name)


def test_a_file_whose_name_says_nothing_is_not_passed_over(tree):
    (tree / MEMBER).with_suffix(".copy.stm").write_text(TEXT)
    with pytest.raises(InputError, match=r"20201231.copy.stm is not named as the network names"):
        read_ismn(tree)


def test_archives_are_known_by_the_names_inside(tmp_path, tree):
    for path in (tree, tree / MEMBER, str(tree), packed(tree, tmp_path / "a")):
        assert looks_like_ismn(path)


def test_listing_says_what_is_there_without_reading_it(tmp_path, tree):
    heads = {name: HEAD.replace("A-1", name) for name in "BD"}
    name = named("p", -1.0, station="B")
    write(tree, records([1.0] * 48), name=name, head=heads["B"], place="NET/B")
    lines = [line.replace("A-1", "C") for line in station(40)]
    write(tree, lines, name="NET_NET_C_20200101_20201231.stm", head="", place="NET/C")
    write(tree, [], name=named("sm", 0.0, 0.3, station="D"), head=heads["D"], place="NET/D")
    for path in (tree, packed(tree, tmp_path / "a.zip")):
        found = {(s.station, s.variable, s.top): s for s in list_ismn(path)}
        assert set(found) == {
            ("A-1", "soil_moisture", 50.0), ("A-1", "soil_temperature", 50.0),
            ("B", "precipitation", None),
            ("C", "soil_moisture", 100.0), ("C", "soil_temperature", 100.0),
            ("C", "soil_moisture", 1000.0), ("C", "soil_temperature", 1000.0),
            ("D", "soil_moisture", 0.0),
        }  # fmt: skip
        first = found["A-1", "soil_moisture", 50.0]
        assert (first.network, first.latitude, first.sensor) == ("NET", 48.1, "Probe")
        assert first.file.endswith(NAME)
        assert (first.start, first.end) == (
            np.datetime64("2020-01-01"),
            np.datetime64("2020-01-03"),
        )
        assert found["C", "soil_moisture", 1000.0].end == np.datetime64("2020-01-02")
        layer = found["D", "soil_moisture", 0.0]
        assert (layer.bottom, np.isnat(layer.start)) == (300.0, True)
