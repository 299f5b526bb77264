"""The C of what follows the scores of a window, see ``signals.event_rule``; and of the only place of a rejection."""

from __future__ import annotations

from neuraltree.signals.event_rule import SMOOTHING_UNIT, EventRule

MEANS = """    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {
        const int32_t ahead = (int32_t)s->scores[k] - s->means[k];
        s->means[k] = s->current == @UPPER@_NONE ? s->scores[k]
                    : (int16_t)(s->means[k] + ((ahead * @SMOOTHING@ + 128) >> 8));
    }
"""
LEAD = """    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {
        if (k != label && label != s->current && @SCORES@[label] - (int32_t)@SCORES@[k] < @MARGIN@) {
            seen = @UPPER@_UNKNOWN;
        }
    }
"""
REJECT = """    if (nt_rejected(s->features)) {
        seen = @UPPER@_UNKNOWN;
    }
"""
QUIET = """    if (s->quiet != 0) {
        --s->quiet;
        return @UPPER@_NONE;
    }
"""
SILENT = """    if (seen == @BACKGROUND@) {
        return @UPPER@_NONE;
    }
"""
EVENT = """/* What the newest window changes: a class, unknown, or none. */
NT_CALL int nt_event(@NAME@_state *s)
{
@MEANS@    const int label = @LABEL@;
    int seen = label;
@LEAD@@REJECT@@QUIET@    if (seen == s->current) {
        return @UPPER@_NONE;
    }
    s->current = (int16_t)seen;
@SILENT@@REFRACTORY@    return seen;
}
"""


def event_function(rule: EventRule, classes: int, rejects: bool) -> str:
    """``nt_event``, with marks for the name."""
    smooth = rule.smoothing < SMOOTHING_UNIT
    scores = "s->means" if smooth else "s->scores"
    starts = f"    s->quiet = seen == @UPPER@_UNKNOWN ? 0 : {rule.refractory};\n"
    texts = {
        "MEANS": MEANS if smooth else "",
        "LABEL": "nt_largest(s->means, @COUNT@)" if smooth else "s->best",
        "LEAD": LEAD if rule.margin else "",
        "REJECT": REJECT if rejects else "",
        "QUIET": QUIET if rule.refractory else "",
        "SILENT": SILENT if rule.background >= 0 else "",
        "REFRACTORY": starts if rule.refractory else "",
        "SCORES": scores,
        "COUNT": str(classes),
        "SMOOTHING": str(rule.smoothing),
        "MARGIN": f"INT32_C({rule.margin})",
        "BACKGROUND": str(rule.background),
    }
    text = (LARGEST if smooth else "") + EVENT
    for mark, value in texts.items():
        text = text.replace(f"@{mark}@", value)
    return text


LARGEST = """/* The first of the largest. */
NT_CALL int nt_largest(const int16_t *y, int count)
{
    int best = 0;
    NT_LOOP
    for (int k = 1; k < count; ++k) {
        if (y[k] > y[best]) {
            best = k;
        }
    }
    return best;
}
"""
