"""Layout of the frames of native (uncompressed) pixel data, PS3.5 sections 8.1.1 and 8.2 (annex A.4: encapsulated)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np


@dataclass(frozen=True)
class NativeLayout:
    """Frames of native pixel data: contiguous, padded only after the last.

    Attributes:
        frames: number of frames.
        frame_bits: length of a frame in bits; 1-bit frames need not start on a byte boundary.
        word_swapped: 8-bit samples in big-endian 16-bit words (OW), so that each pair of bytes is swapped.
    """

    frames: int
    frame_bits: int
    word_swapped: bool

    @classmethod
    def of(
        cls, *, rows: int, columns: int, samples: int, bits: int, photometric: str, frames: int, word_swapped: bool
    ) -> NativeLayout:
        """Build the layout from the Image Pixel module; YBR_FULL_422 stores two chroma samples for two pixels."""
        pixels = rows * columns
        stored_samples = pixels * samples
        if photometric == "YBR_FULL_422" and samples == 3:
            stored_samples = pixels * 2
        return cls(frames, stored_samples * bits, word_swapped and bits <= 8)

    @property
    def total_bytes(self) -> int:
        """Length of all frames without the trailing padding."""
        return (self.frames * self.frame_bits + 7) // 8

    @property
    def frame_bytes(self) -> int:
        """Length of one frame as :meth:`read` returns it."""
        return (self.frame_bits + 7) // 8

    def read(self, stream: BinaryIO, value_offset: int, index: int) -> bytes:
        """Read frame ``index`` (from 0); its samples start at the first bit of the returned bytes.

        Raises:
            EOFError: if the stream ends within the frame.
        """
        first_bit = index * self.frame_bits
        start, end = first_bit // 8, (first_bit + self.frame_bits + 7) // 8
        content = self._bytes(stream, value_offset, start, end)
        if len(content) < end - start:
            raise EOFError
        if self.frame_bits % 8 == 0 and first_bit % 8 == 0:
            return content
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
        shift = first_bit - 8 * start
        return np.packbits(bits[shift : shift + self.frame_bits], bitorder="little").tobytes()

    def _bytes(self, stream: BinaryIO, value_offset: int, start: int, end: int) -> bytes:
        if not self.word_swapped:
            stream.seek(value_offset + start)
            return stream.read(end - start)
        first_word = start - start % 2
        stream.seek(value_offset + first_word)
        words = stream.read(end + end % 2 - first_word)
        swapped = np.frombuffer(words[: len(words) // 2 * 2], ">u2").astype("<u2").tobytes()
        return swapped[start - first_word : end - first_word]
