"""Sound in .wav files: a recording of channels ch1, ch2, ... in counts of 16 bits, whatever the file's own are."""

from __future__ import annotations

import io
import warnings

import numpy as np

from neuraltree.signals.recordings.raw_recording import RawRecording, numbered_channels
from neuraltree.signals.recordings.reading_options import ReadingOptions

# What one step of the file is in counts of 16 bits, and the value of silence. SciPy gives 24 bits as the upper ones of
# 32.
COUNTS = {"uint8": (2.0**8, 128), "int16": (1.0, 0), "int32": (2.0**-16, 0), "float32": (2.0**15, 0)}


def read_wav(file: str, content: bytes, options: ReadingOptions) -> list[RawRecording]:
    """``ValueError`` for sound that is compressed, and for none."""
    del options  # the file says all that they could say
    from scipy.io import wavfile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
        rate, sound = wavfile.read(io.BytesIO(content))
    if sound.dtype.name not in COUNTS:
        raise ValueError(f"its samples are {sound.dtype.name}; read are {', '.join(COUNTS)}")
    step, silence = COUNTS[sound.dtype.name]
    if not sound.size:
        raise ValueError("it has no samples")
    samples = (np.atleast_2d(sound.T).T.astype(np.float64) - silence) * step
    return [RawRecording(file, "", samples, numbered_channels(samples.shape[1]), (), float(rate))]
