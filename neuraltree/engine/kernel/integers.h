/* Trees as 8-bit integers on quantised rows; kernel.c includes it for every instruction set.

   The nodes of all trees stand in prefix order, so from the last to the first every node comes after its children:
   the sum of a node's children waits at their depth until the node itself comes. */

#define ROWS_AT_ONCE 64

static int check_integers(const Integers *job)
{
    int32_t tops = 0, before = -1;
    for (int32_t node = 0; node < job->nodes; node++) {
        const int32_t op = job->op[node], depth = job->depth[node];
        if (depth < 0 || depth > before + 1 || depth >= job->levels || op >= job->features || ~op >= job->kinds ||
            (op >= 0 && depth == 0) || job->shift[node] < 1 || job->shift[node] > 30) {
            return NT_FOREST;
        }
        /* A leaf has no children. */
        before = op >= 0 ? depth - 1 : depth;
        tops += depth == 0;
    }
    for (int32_t kind = 0; kind < job->kinds; kind++) {
        if (job->low[kind] < -128 || job->high[kind] > 127 || job->low[kind] > job->high[kind]) {
            return NT_FOREST;
        }
    }
    return tops == job->outputs && job->rows >= 0 ? NT_DONE : NT_FOREST;
}

/* The values of a node for the ``sums`` of its children and its bias. */
static void integer_values(const Integers *job, int32_t node, const int32_t *sums, int32_t *values)
{
    const int32_t kind = ~job->op[node], low = job->low[kind], high = job->high[kind];
    const int32_t shift = job->shift[node], multiplier = job->multiplier[node], half = 1 << (shift - 1);
    const int32_t bias = job->bias[node];
    const int8_t *table = job->table + 256 * (int64_t)kind + 128;
    for (int i = 0; i < ROWS_AT_ONCE; i++) {
        values[i] = ((sums[i] + bias) * multiplier + half) >> shift;
    }
    if (job->repeats[kind]) {
        for (int i = 0; i < ROWS_AT_ONCE; i++) {
            values[i] = table[((values[i] + 128) & 255) - 128];
        }
        return;
    }
    for (int i = 0; i < ROWS_AT_ONCE; i++) {
        const int32_t t = values[i] < low ? low : values[i];
        values[i] = t > high ? high : t;
    }
    for (int i = 0; i < ROWS_AT_ONCE; i++) {
        values[i] = table[values[i]];
    }
}

static void integer_block(const Integers *job, int64_t start, int32_t *waiting)
{
    const int count = (int)least(job->rows - start, ROWS_AT_ONCE);
    int32_t values[ROWS_AT_ONCE];
    int32_t output = job->outputs;
    memset(waiting, 0, sizeof(int32_t) * ROWS_AT_ONCE * (size_t)(job->levels + 1));
    for (int32_t node = job->nodes - 1; node >= 0; node--) {
        const int32_t depth = job->depth[node], op = job->op[node], weight = job->weight[node];
        int32_t *sums = waiting + ROWS_AT_ONCE * (int64_t)depth, *below = sums + ROWS_AT_ONCE;
        if (op >= 0) {
            const int8_t *codes = job->codes + op * job->rows + start;
            for (int i = 0; i < count; i++) {
                sums[i] += weight * codes[i];
            }
            continue;
        }
        if (depth == 0) {
            int32_t *found = job->found + --output * job->rows + start;
            for (int i = 0; i < count; i++) {
                found[i] = below[i] + job->bias[node];
            }
        } else {
            integer_values(job, node, below, values);
            for (int i = 0; i < ROWS_AT_ONCE; i++) {
                sums[i] += weight * values[i];
            }
        }
        memset(below, 0, sizeof(int32_t) * ROWS_AT_ONCE);
    }
}

int JOIN(nt_integers, NT_VARIANT)(Integers *job)
{
    const int bad = check_integers(job);
    if (bad) {
        return bad;
    }
    int32_t *waiting = malloc(sizeof(int32_t) * ROWS_AT_ONCE * (size_t)(job->levels + 1));
    if (!waiting) {
        return NT_MEMORY;
    }
    for (int64_t start = 0; start < job->rows && !*job->stop; start += ROWS_AT_ONCE) {
        integer_block(job, start, waiting);
    }
    free(waiting);
    return *job->stop ? NT_STOPPED : NT_DONE;
}
