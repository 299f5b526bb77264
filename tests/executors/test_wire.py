"""Messages come back as they were; bytes that are none are refused, and nothing in them is executed or unfolded."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from search.executors.wire import WireError, digest, pack, unpack

KINDS = (np.float64, np.int64, np.bool_, np.uint8)
ARRAYS = st.dictionaries(
    st.text("abc ", min_size=1, max_size=5).filter(lambda name: name != "about"),
    st.sampled_from(KINDS).flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(max_dims=3, max_side=4, min_side=0))),
    max_size=3,
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.dictionaries(st.text(max_size=5), NUMBERS | st.text(max_size=5), max_size=3)


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


def archive(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as stored:
        for name, data in entries.items():
            stored.writestr(name, data)
    return content.getvalue()


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


class Trap:
    fired = False

    def __reduce__(self):
        return (setattr, (Trap, "fired", True))


WORDS_ONLY = npy(np.frombuffer(b"{}", np.uint8))
BAD = {
    "nothing": b"",
    "text": b"hello",
    "a pickle": pickle.dumps([1, 2]),
    "an array that is a pickle": archive({"about.npy": WORDS_ONLY, "x.npy": npy(np.array([Trap()], dtype=object))}),
    "words that are no JSON": archive({"about.npy": npy(np.frombuffer(b"{", np.uint8))}),
    "words that are a list": archive({"about.npy": npy(np.frombuffer(b"[]", np.uint8))}),
    "no words": archive({"x.npy": npy(np.zeros(3))}),
    "a bomb": archive({"about.npy": WORDS_ONLY, "x.npy": npy(np.zeros(10**7))}, zipfile.ZIP_DEFLATED),
    "half a message": pack({"a": 1}, {"x": np.arange(100)})[:300],
}


@pytest.mark.parametrize("kind", BAD)
def test_bytes_that_are_no_message_are_refused(kind):
    with pytest.raises(WireError, match="no message of a search"):
        unpack(BAD[kind])
    assert not Trap.fired


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless(place, value):
    content = bytearray(pack({"a": 1}, {"x": np.arange(20)}))
    content[place % len(content)] = value
    try:
        about, arrays = unpack(bytes(content))
    except WireError:
        return
    assert about == {"a": 1}
    assert all(values.dtype != object for values in arrays.values())
