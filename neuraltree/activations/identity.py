"""The identity, s: its node only sums."""

from __future__ import annotations

import numpy as np

from neuraltree.activations.kind import HIGHEST, INF, Activation, Integers, Look, Piece

IDENTITY = Activation(
    name="identity",
    value=lambda s, xp=np: s,
    derivative=lambda s, h, xp=np: xp.ones_like(s),
    bounds=(-INF, INF),
    steepest=1.0,
    rises=True,
    pieces=(Piece(-INF, INF, 1),),
    alone=lambda functions: lambda s: s,
    c_text="s",
    c_slope="1.0f",
    flops=0,
    shared=(),
    integers=Integers(low=-HIGHEST),
    onnx=lambda graph, s: s,
    look=Look("#DDDDDD", "h", "--"),
    letter="l",
)
