"""Functions of exported MicroPython modules in integers; braces are those of ``str.format``."""

from __future__ import annotations

INTEGER = '''_word = array("f", (0.0,))


def _integer(value, power, zero, multiplier, shift):
    """An input to -127..127: the bits of a single float, shifted to an integer; NaN gives 0."""
    _word[0] = value
    low, high = unpack("<HH", _word)
    down = 150 - power - (high >> 7 & 255)
    whole = (high & 127 | 128) << 16 | low
    if down > -7:
        whole = whole >> down if down > 0 else whole << -down
    elif high & 32767 > 32640 or high & 32767 == 32640 and low:
        return 0
    else:
        whole = 1 << 30
    whole = max(-65535, min(65535, (-whole if high & 32768 else whole) - zero))
    return max(-127, min(127, (whole * multiplier + (1 << shift - 1)) >> shift))


def quantize(x):
    """The integers of the tree for raw inputs x: clamped to their range."""
    {features}return [
        _integer(x[_PLACE[i]], _POWER[i] - 128, _ZERO[i], _INPUT_MULTIPLIER[i], _INPUT_SHIFT[i])
        for i in range(len(_PLACE))
    ]
'''

LOOP = '''def _scores(q):
    """The integer of each output."""
    y = []
    waiting = []
    at = w = hidden = 0
    for bias in _BIAS:
        head = _CODE[at]
        s = bias + (waiting.pop() if head & {opened} else 0)
        at += 2
        for _ in range(_CODE[at - 1]):
            s += (_WEIGHT[w] - 128) * q[_CODE[at]]
            at += 1
            w += 1
        if head & {output}:
            y.append(s)
            continue
        shift = _NODE_SHIFT[hidden]
        s = (s * _NODE_MULTIPLIER[hidden] + (1 << shift - 1)) >> shift
        hidden += 1
        kind = head & {kind}
{value}
        s *= _WEIGHT[w] - 128
        w += 1
        if head & {first}:
            waiting.append(s)
        else:
            waiting[-1] += s
'''
SCORES = """    for k in range(len(y)):
        shift = _SCORE_SHIFT[k]
        y[k] = (y[k] * _SCORE_MULTIPLIER[k] + (1 << shift - 1)) >> shift
"""
RETURN = """    return y
"""

VALUES = '''

def _value(score):
    """An integer in natural units, as a single float."""
    _word[0] = (score{drop}) + {offset}
    _word[0] = _word[0] * _GAIN
    return _word[0]
'''
REGRESSION = '''def predict_q(q):
    """The target as an integer, for integers of ``quantize``."""
    return _scores(q)[0]


def predict(x):
    """The target in its own units for raw inputs x."""
    return _value(predict_q(quantize(x)))
'''
CLASS = '''def predict_q(q):
    """The position of the class in CLASSES, for integers of ``quantize``."""
    y = _scores(q)
    return {answer}


def _class(x):
    return predict_q(quantize(x))


def _values(x):
    return [_value(score) for score in _scores(quantize(x))]
'''
SIGMOIDS = """def _shares(x):
    shares = []
    for s in _values(x):
        decay = exp(-abs(s))  # never overflows
        shares.append((1.0 if s > 0 else decay) / (1.0 + decay))
    return shares
"""
