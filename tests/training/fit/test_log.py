"""Tables and events: what is in them, and that they are whole whatever happened."""

import struct

import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.training.fit import History, events, read_history
from diffhydro.training.fit.history import FILE
from diffhydro.training.fit.log import EVENTS, open_log

COLUMNS = ("epoch", "step", "training.total", "validation.total")
ROWS = [
    {"epoch": 0, "step": 3, "training.total": 0.5, "validation.total": None},
    {"epoch": 1, "step": 6, "training.total": 1 / 3, "validation.total": float("nan")},
    {"epoch": 2, "step": 9, "training.total": float("inf"), "validation.total": 1e-300},
]
NONE = History(COLUMNS)
WHOLE = NONE.more(ROWS)
TEXT = "epoch,step,training.total,validation.total\n0,3,0.5,\n1,6,0.333333333,nan\n2,9,inf,1e-300\n"


def steps(folder):
    return [events.step_of(data) for data in events.records((folder / EVENTS).read_bytes())][1:]


def test_a_table_and_its_text():
    assert WHOLE.csv() == TEXT
    np.testing.assert_array_equal(WHOLE.column("validation.total"), [np.nan, np.nan, 1e-300])
    assert WHOLE.column("training.total").tolist() == [0.5, 1 / 3, np.inf]
    with pytest.raises(InputError, match="there are epoch, step"):
        WHOLE.column("validation.totals")


def test_a_file_is_read_back(tmp_path):
    (tmp_path / FILE).write_text(TEXT + "3,12,0.2")  # being written
    found = read_history(tmp_path / FILE)
    assert found.columns == COLUMNS
    assert len(found) == 3
    assert found.csv() == TEXT
    assert found.rows[0] == ROWS[0]
    (tmp_path / FILE).write_text("")
    with pytest.raises(InputError, match="is empty"):
        read_history(tmp_path / FILE)
    (tmp_path / FILE).write_text("epoch,step\n1\n")
    with pytest.raises(InputError, match="1 values below 2 names"):
        read_history(tmp_path / FILE)


def test_what_json_cannot_hold_comes_back():
    import json

    told = json.loads(json.dumps(WHOLE.told(), allow_nan=False))
    back = NONE.retold(told)
    assert back.csv() == TEXT
    for name in COLUMNS:
        np.testing.assert_array_equal(back.column(name), WHOLE.column(name))
    assert back.told() == WHOLE.told()


def test_members_of_a_table():
    rows = [
        {"epoch": epoch, "member": i, "step": 1, "training.total": epoch + 0.1 * i}
        for epoch in range(2)
        for i in range(2)
        if not (epoch == 1 and i == 0)
    ]
    table = History(("epoch", "member", "step", "training.total"), tuple(rows))
    first, second = table.members()
    assert first == table.member(0)
    assert second.column("training.total").tolist() == [0.1, 1.1]
    assert len(first) == 1
    assert "member" not in first.columns
    assert WHOLE.members() == [WHOLE]


def test_a_log_grows_line_by_line(tmp_path):
    folder = tmp_path / "run"
    log = open_log(folder, NONE)
    for count, row in enumerate(ROWS, start=1):
        log.write([row])
        assert (folder / FILE).read_text() == NONE.more(ROWS[:count]).csv()
        assert steps(folder) == list(range(count))
    assert (folder / FILE).read_text() == TEXT


@pytest.mark.parametrize("count", range(4))
def test_rows_after_a_checkpoint_are_taken_back(count, tmp_path):
    open_log(tmp_path, NONE).write(ROWS)
    before = (tmp_path / EVENTS).read_bytes()
    kept = NONE.more(ROWS[:count])
    open_log(tmp_path, kept)
    assert (tmp_path / FILE).read_text() == kept.csv()
    assert steps(tmp_path) == list(range(count))
    # Those that stay are those that were there, with their times.
    assert before.startswith((tmp_path / EVENTS).read_bytes())
    open_log(tmp_path, kept).write(ROWS[count:])
    assert (tmp_path / FILE).read_text() == TEXT


@pytest.mark.parametrize("damage", ["torn", "lost", "strange"])
def test_files_that_are_not_whole_are_made_so(damage, tmp_path):
    open_log(tmp_path, NONE).write(ROWS)
    table, chart = tmp_path / FILE, tmp_path / EVENTS
    if damage == "torn":
        table.write_text(TEXT[:-9])
        chart.write_bytes(chart.read_bytes()[:-5])
    elif damage == "lost":
        table.unlink()
        chart.unlink()
    else:
        table.write_text("a,b\n1,2\n")
        chart.write_bytes(b"what is this")
    open_log(tmp_path, WHOLE)
    assert table.read_text() == TEXT
    assert steps(tmp_path) == [0, 1, 2]


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_log(None, NONE).write(ROWS)
    assert list(tmp_path.iterdir()) == []


# A file as TensorFlow writes it: its first event is known from any hex dump of such a file.
FIRST = bytes.fromhex(
    "1800000000000000" "a37f4b22" "09" "000000c0b7efd641" "1a0d" "627261696e2e4576656e743a32"
)  # fmt: skip


def test_a_file_begins_as_those_of_tensorflow_do():
    seconds = struct.unpack("<d", FIRST[13:21])[0]
    made = events.first_event(seconds)
    assert made[:-4] == FIRST
    assert struct.unpack("<I", made[-4:])[0] == events.masked(events.crc(FIRST[12:]))


# By hand: wall_time 1.0 (field 1, 8 bytes), step 300 (field 2), summary (field 5) of one value,
# "loss" (field 1) = 0.5 (field 2, 4 bytes).
BY_HAND = bytes.fromhex(
    "09" "000000000000f03f" "10" "ac02" "2a0d" "0a0b" "0a04" "6c6f7373" "15" "0000003f"
)  # fmt: skip


def test_an_event_is_what_is_written_by_hand():
    made = events.event(1.0, 300, {"loss": 0.5})
    assert made[12:-4] == BY_HAND
    assert made[:8] == struct.pack("<Q", len(BY_HAND))
    assert list(events.records(made)) == [BY_HAND]
    assert events.step_of(BY_HAND) == 300


def test_an_event_is_read_by_others(tmp_path):
    """By the library of protocol buffers, from the fields that `event.proto` declares."""
    message = pytest.importorskip("google.protobuf.descriptor_pb2")
    pool = pytest.importorskip("google.protobuf.descriptor_pool").DescriptorPool()
    factory = pytest.importorskip("google.protobuf.message_factory")
    file = message.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")
    kinds = {"double": 1, "float": 2, "int64": 3, "string": 9, "message": 11}
    declared = {
        "Value": [("tag", 1, "string", ""), ("simple_value", 2, "float", "")],
        "Summary": [("value", 1, "message", ".t.Value")],
        "Event": [
            ("wall_time", 1, "double", ""),
            ("step", 2, "int64", ""),
            ("file_version", 3, "string", ""),
            ("summary", 5, "message", ".t.Summary"),
        ],
    }
    for name, fields in declared.items():
        entry = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            made = entry.field.add(name=field, number=number, type=kinds[kind])
            made.label = 3 if field == "value" else 1
            if of:
                made.type_name = of
    pool.Add(file)
    kind = factory.GetMessageClass(pool.FindMessageTypeByName("t.Event"))
    values = {"loss": 0.25, "a long name " * 20: -3.0, "vast": 1e300, "none": float("nan")}
    first = kind.FromString(next(events.records(events.first_event(7.0))))
    assert (first.wall_time, first.file_version) == (7.0, "brain.Event:2")
    found = kind.FromString(next(events.records(events.event(1.7e9, 2**40, values))))
    assert (found.wall_time, found.step) == (1.7e9, 2**40)
    read = {value.tag: value.simple_value for value in found.summary.value}
    assert list(read) == list(values)
    np.testing.assert_array_equal(list(read.values()), [0.25, -3.0, np.inf, np.nan])


def test_checksums():
    """Of RFC 3720, B.4, and of nothing."""
    assert events.crc(b"") == 0
    assert events.crc(bytes(32)) == 0x8A9136AA
    assert events.crc(b"\xff" * 32) == 0x62A8AB43
    assert events.crc(bytes(range(32))) == 0x46DD794E


def test_records_end_at_the_first_that_is_damaged():
    whole = events.event(1.0, 1, {"a": 1.0}) + events.event(1.0, 2, {"a": 2.0})
    assert len(list(events.records(whole))) == 2
    for cut in (1, 5, 20):
        assert len(list(events.records(whole[:-cut]))) == 1
    for at in (3, 9, 14, len(whole) // 2 - 1):
        hurt = bytearray(whole)
        hurt[at] ^= 1
        assert list(events.records(bytes(hurt))) == []
