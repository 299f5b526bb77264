"""The formats by the ending of a file."""

from __future__ import annotations

from collections.abc import Callable

from neuraltree.signals.recordings.formats.edge_impulse import read_cbor, read_json
from neuraltree.signals.recordings.formats.signal_csv import read_csv
from neuraltree.signals.recordings.formats.signal_npz import read_npz
from neuraltree.signals.recordings.formats.wav_audio import read_wav
from neuraltree.signals.recordings.raw_recording import RawRecording
from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.sources.recording_files import SourceFile

Reader = Callable[[str, bytes, ReadingOptions], list[RawRecording]]
FORMATS: dict[str, Reader] = {
    ".cbor": read_cbor,
    ".csv": read_csv,
    ".json": read_json,
    ".npz": read_npz,
    ".tsv": read_csv,
    ".wav": read_wav,
}


def read_file(file: SourceFile, options: ReadingOptions) -> list[RawRecording]:
    """The recordings of a file. ``ValueError`` names the file."""
    content = file.load()
    try:
        return FORMATS[file.ending](file.name, content, options)
    except RecursionError:
        raise ValueError(f"{file.name}: cannot be read: it is nested too deeply") from None
    except MemoryError:
        raise ValueError(f"{file.name}: cannot be read: there is not enough memory") from None
    except Exception as error:  # a damaged file can raise any error, and readers of formats have their own
        text = " ".join(f"{error}".split()) or type(error).__name__
        raise ValueError(
            f"{file.name}: {text if isinstance(error, ValueError) else f'cannot be read: {text}'}"
        ) from None
