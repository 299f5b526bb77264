/* Training and prediction of a forest of neural trees: forward, backward, the optimiser and the epochs.

   This file is compiled once for every instruction set, and includes real.h once for single and once for double
   floats. All variants give the same bits: a sum over the rows of a block has 16 lanes whatever the width of the
   machine's vectors, the lanes are added in a fixed order, every multiply-add is explicit, and exp, log and sin are
   our own. */

#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "rows.h" /* written at build time from the tables of activations, losses and optimisers */

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define WIDTH 64
#elif defined(__AVX2__)
#define WIDTH 32
#else
#define WIDTH 16
#endif

#define LANES 16
#define INLINE static inline __attribute__((always_inline))
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

/* The rows of a batch are padded to whole lanes. */
static int64_t padded(int64_t rows) { return (rows + LANES - 1) / LANES * LANES; }

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The share of a decay that is left after some steps, by squaring: the same bits everywhere, unlike pow. */
static double power(double base, int64_t exponent)
{
    double result = 1.0;
    for (; exponent > 0; exponent >>= 1, base *= base) {
        if (exponent & 1) {
            result *= base;
        }
    }
    return result;
}

/* More inputs or outputs than this would overflow the indices of a block's columns. */
#define MOST_COLUMNS (1 << 24)

/* Whether all indices stay inside their arrays: after this no loop needs to look. */
static int check_forest(const Job *job)
{
    if (job->trees < 0 || job->nodes < 0 || job->params < 0 || job->features < 0 || job->outputs < 1 ||
        job->features > MOST_COLUMNS || job->outputs > MOST_COLUMNS || job->first_node[0] != 0 ||
        job->first_node[job->trees] != job->nodes || job->first_param[0] != 0 ||
        job->first_param[job->nodes] != job->params) {
        return NT_FOREST;
    }
    for (int32_t tree = 0; tree < job->trees; tree++) {
        const int32_t start = job->first_node[tree], end = job->first_node[tree + 1];
        int32_t tops = 0;
        if (start > end || start < 0 || end > job->nodes) {
            return NT_FOREST;
        }
        for (int32_t node = start; node < end; node++) {
            if (job->size[node] < 1 || job->size[node] > end - node || job->kind[node] < 0 ||
                job->kind[node] >= NT_ACTIVATIONS) {
                return NT_FOREST;
            }
        }
        for (int32_t node = start; node < end; node += job->size[node]) {
            tops++;
        }
        if (tops != job->outputs) {
            return NT_FOREST;
        }
        /* The subtrees of a node's children fill the node's own. */
        for (int32_t node = start; node < end; node++) {
            const int32_t last = node + job->size[node];
            int32_t child = node + 1;
            while (child < last) {
                child += job->size[child];
            }
            if (child != last) {
                return NT_FOREST;
            }
        }
    }
    for (int32_t node = 0; node < job->nodes; node++) {
        const int32_t start = job->first_param[node], end = job->first_param[node + 1];
        /* A bias and an edge have no source: the search for the columns in use reads all sources. */
        if (start < 0 || end < 0 || end > job->params || end - start < 2 || job->source[start] != -1 ||
            job->source[start + 1] != -1) {
            return NT_FOREST;
        }
        for (int32_t p = start + 2; p < end; p++) {
            if (job->source[p] < 0 || job->source[p] >= job->features) {
                return NT_FOREST;
            }
        }
    }
    return NT_DONE;
}

static int check_rows(const int32_t *rows, int64_t count, int64_t most)
{
    for (int64_t i = 0; i < count; i++) {
        if (rows[i] < 0 || rows[i] >= most) {
            return NT_ROWS;
        }
    }
    return NT_DONE;
}

#define MOST_STEPS ((int64_t)1 << 62)

static int check_job(const Job *job)
{
    const int bad = check_forest(job);
    if (bad) {
        return bad;
    }
    if (job->loss < 0 || job->loss >= NT_LOSSES || job->optimizer < 0 || job->optimizer >= NT_OPTIMIZERS ||
        job->judge < 0 || job->judge >= NT_JUDGES || job->batch < 1 || job->epochs < 0 || job->count < 0 ||
        job->count > MOST_STEPS) {
        return NT_SETTINGS;
    }
    if (job->soft && !(job->temperature > 0 && (job->loss == NT_LOSS_softmax ||
                                                (job->loss == NT_LOSS_logistic && job->outputs == 1)))) {
        return NT_SETTINGS;
    }
    if (job->rows < 0 || job->fit_rows < 0 || job->validation_rows < 0 || (job->epochs > 0 && job->shuffles < 1) ||
        check_rows(job->validation, job->validation_rows, job->rows) ||
        (job->epochs > 0 && check_rows(job->order, job->shuffles * job->fit_rows, job->rows))) {
        return NT_ROWS;
    }
    return NT_DONE;
}

/* Where the parameters of a tree begin; those of the tree before end there. */
static int32_t first_of(const Job *job, int32_t tree) { return job->first_param[job->first_node[tree]]; }

#define REAL float
#define BITS uint32_t
#define NAME(name) JOIN(JOIN(name, _f32), NT_VARIANT)
#define GROUPS 4 /* lanes of 16 rows in a block: eight vectors of AVX2 */
#define MANTISSA 23
#define BIAS 127
#include "real.h"
#undef REAL
#undef BITS
#undef NAME
#undef GROUPS
#undef MANTISSA
#undef BIAS

#define REAL double
#define BITS uint64_t
#define NAME(name) JOIN(JOIN(name, _f64), NT_VARIANT)
#define GROUPS 2
#define MANTISSA 52
#define BIAS 1023
#define NT_DOUBLE
#include "real.h"

#include "integers.h"
#include "exits.h"
