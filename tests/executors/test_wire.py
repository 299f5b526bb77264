"""Messages come back as they were; bytes that are none are refused, and nothing in them is executed or unfolded."""

from __future__ import annotations

import io
import json
import pickle
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuraltree.tree.nodes import node_dtype
from search.executors.wire import LINE, NUMBERS, WireError, digest, pack, unpack

KINDS = (np.float64, np.int64, np.bool_, np.uint8)
ARRAYS = st.dictionaries(
    st.text("abc ", min_size=1, max_size=5),
    st.sampled_from(KINDS).flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(max_dims=3, max_side=4, min_side=0))),
    max_size=3,
)
PLAIN = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.dictionaries(st.text(max_size=5), PLAIN | st.text(max_size=5), max_size=3)


@given(WORDS, ARRAYS)
def test_a_message_comes_back(words, arrays):
    about, found = unpack(pack(words, arrays))
    assert about == words
    assert found.keys() == arrays.keys()
    for name, values in arrays.items():
        assert found[name].dtype == values.dtype
        assert found[name].shape == values.shape
        assert found[name].tobytes() == values.tobytes()


@given(WORDS, ARRAYS)
def test_equal_messages_have_one_name_and_others_another(words, arrays):
    assert digest(pack(words, arrays)) == digest(pack(dict(reversed(words.items())), arrays))
    assert digest(pack(words, arrays)) != digest(pack(words, arrays | {"more": np.zeros(1)}))


def message(words: bytes = b"{}", header: bytes = b"[]", content: bytes = b"") -> bytes:
    """A message with any words and any header, whose checksum is right."""
    numbers = NUMBERS.pack(zlib.crc32(words + header), len(words), len(header))
    return LINE + numbers + words + header + content


def of_array(form: object, shape: object, content: bytes = bytes(8)) -> bytes:
    """A message of one array, whose checksum is right."""
    return message(header=json.dumps([["x", form, shape, zlib.crc32(content)]]).encode(), content=content)


class Trap:
    fired = False

    def __reduce__(self):
        return (setattr, (Trap, "fired", True))


def npz() -> bytes:
    content = io.BytesIO()
    np.savez(content, x=np.zeros(3))
    return content.getvalue()


BAD = {
    "nothing": b"",
    "text": b"hello",
    "a pickle": pickle.dumps(Trap()),
    "an npz": npz(),
    "words that are no JSON": message(b"{"),
    "words that are no object": message(b"[1]"),
    "a header that is no JSON": message(header=b"["),
    "a header that is an object": message(header=b"{}"),
    "a header of another form": message(header=b'[["x", "<f8"]]'),
    "an array of objects": of_array("|O", [1]),
    "a field of objects": of_array([["a", "|O"]], [1]),
    "an array larger than the message": of_array("<f8", [10**15]),
    "an array smaller than the message": of_array("<f8", [0]),
    "sizes that multiply to the right number": of_array("<f8", [-1, -1]),
    "an unknown type": of_array("<z9", [1]),
    "deep words": message(b"[" * 100_000),
    "a deep header": message(header=b"[" * 100_000),
    "a deep type": of_array(json.loads("[" * 500 + "]" * 500), [1]),
    "half a message": pack({"a": 1}, {"x": np.arange(100)})[:300],
    "a message and more": pack({"a": 1}, {"x": np.arange(100)}) + b"x",
}


@pytest.mark.parametrize("kind", BAD)
def test_bytes_that_are_no_message_are_refused(kind):
    with pytest.raises(WireError, match="no message of a search"):
        unpack(BAD[kind])
    assert not Trap.fired


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_changed_byte_is_refused(place, value):
    content = bytearray(pack({"a": 1}, {"x": np.arange(20)}))
    content[place % len(content)] = value
    if bytes(content) == pack({"a": 1}, {"x": np.arange(20)}):
        return
    with pytest.raises(WireError):
        unpack(bytes(content))


def test_arrays_of_objects_are_not_sent():
    with pytest.raises(ValueError, match="x holds Python objects, which are never saved or sent"):
        pack({}, {"x": np.array([Trap()], dtype=object)})


def test_records_of_trees_come_back():
    nodes = np.array([(0, ~5, [0.0, 1.0], [0.5, 2.0]), (1, 0, [0.25, -1.0], [0.0, 0.0])], dtype=node_dtype(2))
    found = unpack(pack({}, {"nodes": nodes}))[1]["nodes"]
    assert found.dtype == nodes.dtype
    assert found.tobytes() == nodes.tobytes()
    found["weight"] = 1.0  # it may be written to
