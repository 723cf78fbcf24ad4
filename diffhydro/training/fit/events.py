"""Files of events that TensorBoard reads, written byte by byte.

A file is a chain of records, each

    length (8 bytes, little endian) | crc(length) (4) | data | crc(data) (4)

with the masked CRC-32C of TensorFlow, crc ↦ ((crc ≫ 15 | crc ≪ 17) + 0xa282ead8) mod 2³². The data
are protocol buffers: `Event{wall_time = 1, step = 2, file_version = 3, summary = 5}` with
`Summary{value = 1}` and `Value{tag = 1, simple_value = 2}`. The first event tells the version.
"""

import math
import struct
from collections.abc import Iterator, Mapping

VERSION = "brain.Event:2"
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reflected
_MASK = 0xA282EAD8
_LARGEST = 3.4028234e38  # of four bytes
_LENGTH, _CRC = struct.Struct("<Q"), struct.Struct("<I")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


def first_event(seconds: float) -> bytes:
    """Give the record that a file begins with."""
    return record(_double(1, seconds) + _bytes(3, VERSION.encode()))


def event(seconds: float, step: int, values: Mapping[str, float]) -> bytes:
    """Give the record of some numbers at a step.

    Args:
        seconds: Since 1970.
    """
    found = b"".join(_bytes(1, _bytes(1, tag.encode()) + _float(2, x)) for tag, x in values.items())
    return record(_double(1, seconds) + _integer(2, step) + _bytes(5, found))


def record(data: bytes) -> bytes:
    """Frame data."""
    length = _LENGTH.pack(len(data))
    return length + _CRC.pack(masked(crc(length))) + data + _CRC.pack(masked(crc(data)))


def records(content: bytes) -> Iterator[bytes]:
    """Give the data of all records that are whole."""
    at = 0
    while at + 12 <= len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        data = content[at + 12 : at + 12 + length]
        if record(data) != content[at : at + 16 + length]:
            return
        yield data
        at += 16 + length


def step_of(data: bytes) -> int:
    """Give the step of an event; 0 where none is told."""
    at = 9 if data[:1] == bytes([1 << 3 | _FIXED64]) else 0
    if data[at : at + 1] != bytes([2 << 3 | _VARINT]):
        return 0
    step, shift = 0, 0
    for byte in data[at + 1 :]:
        step |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return step


def crc(data: bytes) -> int:
    """Give the CRC-32C.

    >>> hex(crc(b"123456789"))
    '0xe3069283'
    """
    found = 0xFFFFFFFF
    for byte in data:
        found = _TABLE[(found ^ byte) & 0xFF] ^ found >> 8
    return found ^ 0xFFFFFFFF


def masked(found: int) -> int:
    """Give a CRC as it is stored, so that a CRC of data with CRCs in them is a good one."""
    return ((found >> 15 | found << 17) + _MASK) & 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
        found.append(byte)
    return tuple(found)


_TABLE = _table()


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _integer(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(data)) + data


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | _FIXED64) + struct.pack("<d", number)


def _float(field: int, number: float) -> bytes:
    if abs(number) > _LARGEST:
        number = math.copysign(math.inf, number)
    return _varint(field << 3 | _FIXED32) + struct.pack("<f", number)
