/* The kernel for one type of real number; kernel.c includes it for float and for double. */

#define PER ((int)(WIDTH / sizeof(REAL))) /* numbers in a vector of the machine */
#define PARTS (LANES / PER)               /* vectors that hold 16 lanes */
#define MOST_VECTORS (GROUPS * PARTS)     /* vectors that hold the rows of a block */
#define BLOCK (GROUPS * LANES)            /* most rows of a block */
#define NEAR 24576                        /* bytes of columns that stay in the nearest cache beside the rest */
#define AHEAD 3                           /* nodes whose leaves are fetched before their turn */

typedef REAL NAME(vector) __attribute__((vector_size(WIDTH), may_alias));
#define VECTOR NAME(vector)

/* a x b + c, rounded once. */
#ifdef NT_DOUBLE
#define FMA1(a, b, c) __builtin_fma(a, b, c)
#else
#define FMA1(a, b, c) __builtin_fmaf(a, b, c)
#endif

INLINE VECTOR NAME(fma)(VECTOR a, VECTOR b, VECTOR c)
{
#if WIDTH == 64 && defined(NT_DOUBLE)
    return (VECTOR)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif WIDTH == 64
    return (VECTOR)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif WIDTH == 32 && defined(NT_DOUBLE)
    return (VECTOR)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif WIDTH == 32
    return (VECTOR)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON) && defined(NT_DOUBLE)
    return (VECTOR)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#elif defined(__ARM_NEON)
    return (VECTOR)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    VECTOR r;
    for (int i = 0; i < PER; i++) {
        r[i] = FMA1(a[i], b[i], c[i]);
    }
    return r;
#endif
}

INLINE VECTOR NAME(all)(REAL x) { return x - (VECTOR){0}; }

/* The sum of 16 lanes: lane i and i + 8 first, then i + 4, i + 2, i + 1. */
#if WIDTH >= 32 && !defined(NT_DOUBLE)
INLINE __m256 NAME(folded)(const VECTOR *part)
{
#if WIDTH == 64
    return _mm256_add_ps(_mm512_castps512_ps256((__m512)part[0]),
                         _mm256_castpd_ps(_mm512_extractf64x4_pd((__m512d)part[0], 1)));
#else
    return _mm256_add_ps((__m256)part[0], (__m256)part[1]);
#endif
}

INLINE REAL NAME(sum)(const VECTOR *part)
{
    const __m256 eight = NAME(folded)(part);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

/* Adds eight sums to eight numbers, with the additions of ``sum`` for each. */
INLINE void NAME(add_sums)(const __m256 *eight, REAL *to)
{
    __m256 four[4], two[2];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        four[i] = _mm256_add_ps(_mm256_permute2f128_ps(eight[i], eight[i + 4], 0x20),
                                _mm256_permute2f128_ps(eight[i], eight[i + 4], 0x31));
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        two[i] = _mm256_add_ps(_mm256_shuffle_ps(four[2 * i], four[2 * i + 1], 0x44),
                               _mm256_shuffle_ps(four[2 * i], four[2 * i + 1], 0xee));
    }
    const __m256 one = _mm256_add_ps(_mm256_shuffle_ps(two[0], two[1], 0x88), _mm256_shuffle_ps(two[0], two[1], 0xdd));
    _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), one));
}
#else
INLINE REAL NAME(sum)(const VECTOR *part)
{
    union {
        VECTOR vector;
        REAL lane[PER];
    } left;
    VECTOR kept[PARTS];
    for (int i = 0; i < PARTS; i++) {
        kept[i] = part[i];
    }
    for (int half = PARTS / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            kept[i] += kept[i + half];
        }
    }
    left.vector = kept[0];
    for (int half = PER / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            left.lane[i] += left.lane[i + half];
        }
    }
    return left.lane[0];
}
#endif

/* 2^n from x, the number 1.5 x 2^MANTISSA + n: n stands in its last bits. No number is turned into an integer, so a
   NaN is no undefined behaviour. */
INLINE REAL NAME(two_to)(REAL x)
{
    union {
        REAL real;
        BITS bits;
    } u;
    u.real = x;
    u.bits = (u.bits + BIAS) << MANTISSA;
    return u.real;
}

#ifdef NT_DOUBLE
#define MAGIC 6755399441055744.0
#define FARTHEST 1e15
#else
#define MAGIC 12582912.0f
#define FARTHEST 1e7f
#endif

/* e^x within about a unit in the last place, x held in the range of normal numbers; NaN stays NaN. */
INLINE REAL NAME(exp)(REAL x)
{
#ifdef NT_DOUBLE
    const REAL t = x < -708.0 ? -708.0 : x > 709.0 ? 709.0 : x;
    const REAL whole = FMA1(t, 1.4426950408889634, MAGIC);
    const REAL n = whole - MAGIC;
    const REAL r = FMA1(n, -1.9082149292705877e-10, FMA1(n, -0.6931471803691238, t));
    REAL p = 1.6059043836821613e-10;
    p = FMA1(p, r, 2.08767569878681e-9);
    p = FMA1(p, r, 2.505210838544172e-8);
    p = FMA1(p, r, 2.755731922398589e-7);
    p = FMA1(p, r, 2.7557319223985893e-6);
    p = FMA1(p, r, 2.48015873015873e-5);
    p = FMA1(p, r, 1.984126984126984e-4);
    p = FMA1(p, r, 1.388888888888889e-3);
    p = FMA1(p, r, 8.333333333333333e-3);
    p = FMA1(p, r, 4.1666666666666664e-2);
    p = FMA1(p, r, 1.6666666666666666e-1);
#else
    /* As integers: compilers turn two comparisons of floats into ten instructions, these into two. The bits of positive
       floats rise with them as signed numbers, those of negative floats rise with their size as unsigned ones. */
    union {
        REAL real;
        int32_t signed_bits;
        BITS bits;
    } t_of = {x};
    t_of.signed_bits = t_of.signed_bits < 0x42b00000 ? t_of.signed_bits : 0x42b00000; /* 88 */
    t_of.bits = t_of.bits < 0xc2ae0000u ? t_of.bits : 0xc2ae0000u;                      /* -87 */
    const REAL t = t_of.real;
    const REAL whole = FMA1(t, 1.44269504f, MAGIC);
    const REAL n = whole - MAGIC;
    const REAL r = FMA1(n, 2.12194440e-4f, FMA1(n, -0.693359375f, t));
    REAL p = 1.98412698e-4f;
    p = FMA1(p, r, 1.38888889e-3f);
    p = FMA1(p, r, 8.33333333e-3f);
    p = FMA1(p, r, 4.16666667e-2f);
    p = FMA1(p, r, 1.66666667e-1f);
#endif
    p = FMA1(p, r, (REAL)0.5);
    p = FMA1(p, r, (REAL)1);
    p = FMA1(p, r, (REAL)1);
    p *= NAME(two_to)(whole);
#ifndef NT_DOUBLE
    t_of.real = p;
    t_of.bits |= x != x ? 0xffffffffu : 0; /* NaN */
    p = t_of.real;
#endif
    return p;
}

/* log x of a normal number from 1 to 2: by the series of atanh around the middle. */
INLINE REAL NAME(log)(REAL x)
{
    const REAL m = x > (REAL)1.4142135623730951 ? x * (REAL)0.5 : x;
    const REAL s = (m - 1) / (m + 1), z = s * s;
#ifdef NT_DOUBLE
    REAL p = 2.0 / 23;
    p = FMA1(p, z, 2.0 / 21);
    p = FMA1(p, z, 2.0 / 19);
    p = FMA1(p, z, 2.0 / 17);
    p = FMA1(p, z, 2.0 / 15);
    p = FMA1(p, z, 2.0 / 13);
    p = FMA1(p, z, 2.0 / 11);
    p = FMA1(p, z, 2.0 / 9);
#else
    REAL p = 2.0f / 9;
#endif
    p = FMA1(p, z, (REAL)2 / 7);
    p = FMA1(p, z, (REAL)2 / 5);
    p = FMA1(p, z, (REAL)2 / 3);
    p = FMA1(p * z, s, s + s);
    return x > (REAL)1.4142135623730951 ? p + (REAL)0.6931471805599453 : p;
}

/* log x of a normal number; NaN for infinity and NaN. */
INLINE REAL NAME(log_of)(REAL x)
{
    union {
        REAL real;
        BITS bits;
    } u;
    u.real = x;
    const REAL exponent = (REAL)((int)(u.bits >> MANTISSA) - BIAS);
    u.bits = (u.bits & (((BITS)1 << MANTISSA) - 1)) | ((BITS)BIAS << MANTISSA);
    return FMA1(exponent, (REAL)0.6931471805599453, NAME(log)(u.real)) + (x - x);
}

/* log(1 + u) for u from 0 to 1, exact for small u too (Kahan's correction of the rounding of 1 + u). */
INLINE REAL NAME(log1p)(REAL u)
{
    const REAL w = 1 + u, low = u - (w - 1);
    return NAME(log)(w) + low / w;
}

/* sin x (half 0) or cos x (half 1/2): the sine of the distance to the nearest zero, whose sign turns with every half
   period. Numbers beyond FARTHEST lie too far apart to have a sine: 0. */
INLINE REAL NAME(sin_from)(REAL x, REAL half)
{
    const REAL shifted = FMA1(x, (REAL)0.3183098861837907, half) + MAGIC;
    const REAL n = shifted - MAGIC - half;
    union {
        REAL real;
        BITS bits;
    } odd, y;
#ifdef NT_DOUBLE
    REAL r = FMA1(n, -3.141592653589793, x), z, p;
    r = FMA1(n, -1.2246467991473532e-16, r);
    z = r * r;
    p = -8.22063524662433e-18;
    p = FMA1(p, z, 2.8114572543455206e-15);
    p = FMA1(p, z, -7.647163731819816e-13);
    p = FMA1(p, z, 1.6059043836821613e-10);
    p = FMA1(p, z, -2.505210838544172e-8);
    p = FMA1(p, z, 2.7557319223985893e-6);
    p = FMA1(p, z, -1.984126984126984e-4);
    p = FMA1(p, z, 8.333333333333333e-3);
    p = FMA1(p, z, -1.6666666666666666e-1);
#else
    REAL r = FMA1(n, -3.14159274f, x), z, p;
    r = FMA1(n, 8.74227766e-8f, r);
    z = r * r;
    p = -2.50521084e-8f;
    p = FMA1(p, z, 2.75573192e-6f);
    p = FMA1(p, z, -1.98412698e-4f);
    p = FMA1(p, z, 8.33333333e-3f);
    p = FMA1(p, z, -1.66666667e-1f);
#endif
    y.real = FMA1(r * z, p, r);
    odd.real = shifted;
    y.bits ^= odd.bits << (8 * sizeof(REAL) - 1); /* the sign turns with every half period */
    return x < FARTHEST && x > -FARTHEST ? y.real : x - x; /* NaN for NaN and infinity */
}

/* The functions that the rows of the tables call, by their names in C. */
#define R(x) ((REAL)(x))
#define expf(x) NAME(exp)(x)
#define tanhf(x) (2 / (1 + NAME(exp)(-2 * (x))) - 1)
#define sinf(x) NAME(sin_from)(x, 0)
#define nt_cosine(x) NAME(sin_from)(x, (REAL)0.5)
#define fabsf(x) ((x) < 0 ? -(x) : (x))
#ifdef NT_DOUBLE
#define sqrtf(x) __builtin_sqrt(x)
#else
#define sqrtf(x) __builtin_sqrtf(x)
#endif

/* Values and slopes of a node for the rows of a block, whose number is a multiple of 16. Not inlined: with a known
   number of rows compilers unroll the loop, and then branch for every row. */
#ifdef __clang__
#define APART static __attribute__((noinline))
#else
#define APART static __attribute__((noinline, noclone))
#endif
#define ACTIVATION(code, name, VALUE, SLOPE)                                                                           \
    APART void NAME(value_##name)(const REAL *restrict sum, REAL *restrict found, int rows)                            \
    {                                                                                                                  \
        for (int row = 0; row < rows; row++) {                                                                         \
            const REAL s = sum[row];                                                                                   \
            found[row] = VALUE;                                                                                        \
        }                                                                                                              \
    }                                                                                                                  \
    APART void NAME(slope_##name)(const REAL *restrict sum, const REAL *restrict found, REAL *restrict delta,          \
                                  int rows)                                                                            \
    {                                                                                                                  \
        for (int row = 0; row < rows; row++) {                                                                         \
            const REAL kept = sum[row], value = found[row];                                                            \
            (void)kept, (void)value;                                                                                   \
            delta[row] *= SLOPE;                                                                                       \
        }                                                                                                              \
    }
EACH_ACTIVATION(ACTIVATION)
#undef ACTIVATION

static void NAME(activate)(int32_t kind, const REAL *sum, REAL *found, int rows)
{
#define CASE(code, name, VALUE, SLOPE)                                                                                 \
    case code:                                                                                                         \
        NAME(value_##name)(sum, found, rows);                                                                          \
        break;
    switch (kind) {
        EACH_ACTIVATION(CASE)
    }
#undef CASE
}

static void NAME(bend)(int32_t kind, const REAL *sum, const REAL *found, REAL *delta, int rows)
{
#define CASE(code, name, VALUE, SLOPE)                                                                                 \
    case code:                                                                                                         \
        NAME(slope_##name)(sum, found, delta, rows);                                                                   \
        break;
    switch (kind) {
        EACH_ACTIVATION(CASE)
    }
#undef CASE
}

/* One update of ``count`` parameters. ``first_left`` and ``second_left`` are the bias corrections of Adam, and
   ``first_before`` and ``second_before`` those of the step before. */
typedef struct {
    REAL rate, decay, first_left, second_left, first_before, second_before;
} NAME(Step);

#define OPTIMIZER(code, name, LAST, UPDATE)                                                                            \
    static void NAME(update_##name)(REAL *restrict param, REAL *restrict first, REAL *restrict second,                 \
                                    const REAL *restrict slope, int32_t count, NAME(Step) step)                        \
    {                                                                                                                  \
        const REAL rate = step.rate, decay = step.decay;                                                               \
        const REAL first_left = step.first_left, second_left = step.second_left;                                       \
        (void)decay, (void)first_left, (void)second_left;                                                              \
        for (int32_t i = 0; i < count; i++) {                                                                          \
            const REAL g = slope[i];                                                                                   \
            REAL w = param[i], m = first[i], v = second[i];                                                            \
            UPDATE                                                                                                     \
            param[i] = w, first[i] = m, second[i] = v;                                                                 \
        }                                                                                                              \
    }
EACH_OPTIMIZER(OPTIMIZER)
#undef OPTIMIZER

static void NAME(update)(int32_t optimizer, REAL *param, REAL *first, REAL *second, const REAL *slope, int32_t count,
                         NAME(Step) step)
{
#define CASE(code, name, LAST, UPDATE)                                                                                 \
    case code:                                                                                                         \
        NAME(update_##name)(param, first, second, slope, count, step);                                                 \
        break;
    switch (optimizer) {
        EACH_OPTIMIZER(CASE)
    }
#undef CASE
}

/* The product of the gradient and the direction of the last step, summed over the parameters of a tree in 16 lanes. */
#define RATE_SLOPE(code, name, LAST, UPDATE)                                                                           \
    static REAL NAME(rate_slope_##name)(const REAL *restrict first, const REAL *restrict second,                       \
                                        const REAL *restrict slope, int32_t count, NAME(Step) step)                    \
    {                                                                                                                  \
        const REAL first_before = step.first_before, second_before = step.second_before;                               \
        REAL lane[LANES] = {0};                                                                                        \
        VECTOR part[PARTS];                                                                                            \
        (void)first_before, (void)second_before;                                                                       \
        for (int32_t start = 0; start < count; start += LANES) {                                                       \
            const int width = (int)least(LANES, count - start);                                                        \
            if (width == LANES) {                                                                                      \
                ADD_LANES(LANES, LAST)                                                                                 \
            } else {                                                                                                   \
                ADD_LANES(width, LAST)                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
        memcpy(part, lane, sizeof part);                                                                               \
        return NAME(sum)(part);                                                                                        \
    }
#define ADD_LANES(width, LAST)                                                                                         \
    for (int i = 0; i < (width); i++) {                                                                                \
        const REAL m = first[start + i], v = second[start + i];                                                        \
        (void)m, (void)v;                                                                                              \
        lane[i] += slope[start + i] * (LAST);                                                                          \
    }
EACH_OPTIMIZER(RATE_SLOPE)
#undef ADD_LANES
#undef RATE_SLOPE

static REAL NAME(rate_slope)(int32_t optimizer, const REAL *first, const REAL *second, const REAL *slope, int32_t count,
                             NAME(Step) step)
{
#define CASE(code, name, LAST, UPDATE)                                                                                 \
    case code:                                                                                                         \
        return NAME(rate_slope_##name)(first, second, slope, count, step);
    switch (optimizer) {
        EACH_OPTIMIZER(CASE)
    }
#undef CASE
    return 0;
}

/* What is wanted of a rate, or the nearest that is allowed; NaN, of a lost tree, changes nothing. */
static REAL NAME(near)(REAL wanted, REAL now)
{
    const REAL low = now / R(NT_MOST_FALL), high = now * R(NT_MOST_RISE);
    const REAL next = wanted < low ? low : wanted > high ? high : wanted == wanted ? wanted : now;
    return next < R(NT_LEAST_RATE) ? R(NT_LEAST_RATE) : next > R(NT_MOST_RATE) ? R(NT_MOST_RATE) : next;
}

/* The rate that a tree has learned; see learned_rates.py. */
static REAL NAME(learned_rate)(const Job *job, int32_t tree, REAL slope)
{
    REAL *state = (REAL *)job->learned + (size_t)tree * NT_LEARNED_STATE;
    state[1] = NAME(near)(state[1] + (REAL)job->kappa_step * slope * state[2], state[1]);
    state[0] = NAME(near)(state[0] + state[1] * slope, state[0]);
    state[2] = slope;
    return state[0];
}

/* The memory of a call. A value, sum or delta of node i and row b of a block stands at [i x rows + b]. */
typedef struct {
    char *memory;
    int32_t columns;       /* inputs that some leaf reads */
    int32_t *input;        /* (columns) */
    int32_t *column;       /* (params) the column of a leaf */
    REAL *x, *y, *share;   /* (columns, BLOCK), (outputs, BLOCK), (BLOCK) */
    REAL *soft;            /* (BLOCK) */
    REAL *value, *sum, *delta; /* (most nodes of a tree, BLOCK) */
    REAL *slope;           /* (params) the gradient of a batch */
    REAL *loss;            /* (4, BLOCK) */
    double *total;         /* (trees) */
    int8_t *active;        /* (trees) */
    int32_t *reached;      /* (most nodes of a tree) the next leaf of each node, in passes over the columns */
} NAME(Scratch);

/* Check a job, and set up the memory of its call. */
static int NAME(prepare)(const Job *job, NAME(Scratch) *s, int every_input)
{
    size_t sizes[13], at[13], total = 64;
    const int bad = check_job(job);
    if (bad) {
        return bad;
    }
    int32_t most_nodes = 1;
    for (int32_t tree = 0; tree < job->trees; tree++) {
        const int32_t start = job->first_node[tree], end = job->first_node[tree + 1];
        most_nodes = end - start > most_nodes ? end - start : most_nodes;
    }
    /* The columns are numbered from 1 here; 0 is an input that no leaf reads. */
    int32_t *column_of = calloc((size_t)job->features + 1, sizeof(int32_t));
    if (!column_of) {
        return NT_MEMORY;
    }
    s->columns = 0;
    for (int32_t p = 0; p < job->params; p++) {
        if (job->source[p] >= 0) {
            column_of[job->source[p]] = 1;
        }
    }
    for (int32_t f = 0; f < job->features; f++) {
        if (column_of[f] || every_input) {
            column_of[f] = ++s->columns;
        }
    }
    const size_t block = BLOCK * sizeof(REAL), nodes = (size_t)most_nodes * block;
    const size_t wanted[13] = {(size_t)s->columns * sizeof(int32_t),
                               (size_t)job->params * sizeof(int32_t),
                               (size_t)s->columns * block,
                               (size_t)job->outputs * block,
                               2 * block,
                               nodes,
                               nodes,
                               nodes,
                               (size_t)job->params * sizeof(REAL),
                               4 * block,
                               (size_t)job->trees * sizeof(double),
                               (size_t)job->trees,
                               (size_t)most_nodes * sizeof(int32_t)};
    for (int i = 0; i < 13; i++) {
        sizes[i] = (wanted[i] + 127) / 64 * 64;
        at[i] = total;
        total += sizes[i];
    }
    s->memory = malloc(total);
    if (!s->memory) {
        free(column_of);
        return NT_MEMORY;
    }
    char *base = s->memory + (64 - (uintptr_t)s->memory % 64) % 64 - 64;
    s->input = (int32_t *)(base + at[0]);
    s->column = (int32_t *)(base + at[1]);
    s->x = (REAL *)(base + at[2]);
    s->y = (REAL *)(base + at[3]);
    s->share = (REAL *)(base + at[4]);
    s->soft = s->share + BLOCK;
    s->value = (REAL *)(base + at[5]);
    s->sum = (REAL *)(base + at[6]);
    s->delta = (REAL *)(base + at[7]);
    s->slope = (REAL *)(base + at[8]);
    s->loss = (REAL *)(base + at[9]);
    s->total = (double *)(base + at[10]);
    s->active = (int8_t *)(base + at[11]);
    s->reached = (int32_t *)(base + at[12]);
    for (int32_t f = 0; f < job->features; f++) {
        if (column_of[f]) {
            s->input[column_of[f] - 1] = f;
        }
    }
    for (int32_t p = 0; p < job->params; p++) {
        s->column[p] = job->source[p] < 0 ? 0 : column_of[job->source[p]] - 1;
    }
    free(column_of);
    return NT_DONE;
}

/* Rows as columns of ``width`` numbers: what the leaves read, contiguous. Missing rows repeat the first with no share:
   a row of zeros might overflow where no row does, and infinity x 0 is NaN. */
static void NAME(gather)(const Job *job, const NAME(Scratch) *s, const int32_t *rows, int count, int width, REAL share)
{
    const REAL *inputs = job->inputs, *targets = job->targets, *weight = job->weight, *soft = job->soft;
    for (int start = 0; start < width; start += LANES) {
        const REAL *from[LANES];
        for (int b = 0; b < LANES; b++) {
            from[b] = inputs + (size_t)rows[start + b < count ? start + b : 0] * (size_t)job->features;
        }
        for (int32_t c = 0; c < s->columns; c++) {
            REAL *to = s->x + (size_t)c * (size_t)width + start;
#pragma GCC unroll 16
            for (int b = 0; b < LANES; b++) {
                to[b] = from[b][s->input[c]];
            }
        }
    }
    if (!targets) {
        return;
    }
    for (int b = 0; b < width; b++) {
        const int32_t row = rows[b < count ? b : 0];
        for (int32_t o = 0; o < job->outputs; o++) {
            s->y[o * width + b] = targets[(size_t)row * (size_t)job->outputs + o];
        }
        s->share[b] = b < count ? weight[row] * share : 0;
        if (soft) {
            s->soft[b] = soft[row];
        }
    }
}

/* One tree: pointers to its own part of the forest. */
typedef struct {
    int32_t nodes;
    const int32_t *size, *kind, *first_param, *column;
    int32_t base; /* of its parameters: first_param[0] */
} NAME(Tree);

INLINE NAME(Tree) NAME(tree)(const Job *job, const NAME(Scratch) *s, int32_t tree)
{
    const int32_t start = job->first_node[tree];
    const int32_t base = job->first_param[start];
    return (NAME(Tree)){job->first_node[tree + 1] - start, job->size + start, job->kind + start,
                        job->first_param + start, s->column + base, base};
}

/* A tree of many leaves reads its columns in passes, of so many columns that they stay in the nearest cache while all
   nodes read theirs; another tree in one. The sums are the same, added in the same order. */
INLINE int32_t NAME(columns_a_pass)(NAME(Tree) tree, const NAME(Scratch) *s, int rows)
{
    const int32_t most = NEAR / (rows * (int32_t)sizeof(REAL)), passes = (s->columns + most - 1) / most;
    const int64_t leaves = tree.first_param[tree.nodes] - tree.base - 2 * (int64_t)tree.nodes;
    return leaves >= 8 * (int64_t)tree.nodes * passes && passes > 1 ? most : s->columns;
}

/* The end of the leaves of a node that a pass reads; they begin at ``reached``. Leaves that do not follow the order of
   the columns wait for a later pass. Those of a later node are fetched meanwhile, because they lie too far off for the
   processor to foresee them. */
INLINE int32_t NAME(end_of_pass)(NAME(Tree) tree, const NAME(Scratch) *s, int32_t node, int32_t limit, const REAL *used)
{
    const int32_t end = tree.first_param[node + 1] - tree.base, later = s->reached[least(node + AHEAD, tree.nodes - 1)];
    int32_t p = s->reached[node];
    for (int32_t i = 0; i < 64; i += 16) {
        __builtin_prefetch(tree.column + later + i);
        __builtin_prefetch(used + later + i);
    }
    for (; p + 8 <= end && tree.column[p + 7] < limit; p += 8) {
    }
    while (p < end && tree.column[p] < limit) {
        p++;
    }
    return p;
}

/* Adds the leaves from ``p`` to before ``end`` to the sum of a node. */
INLINE void NAME(add_leaves)(const int groups, NAME(Tree) tree, int32_t p, int32_t end, const REAL *param,
                             const REAL *x, VECTOR *sum)
{
    for (; p < end; p++) {
        const VECTOR *from = (const VECTOR *)(x + (size_t)tree.column[p] * (groups * LANES));
        const VECTOR weight = NAME(all)(param[p]);
#pragma GCC unroll 16
        for (int k = 0; k < groups * PARTS; k++) {
            sum[k] = NAME(fma)(weight, from[k], sum[k]);
        }
    }
}

/* Bias and leaves of all nodes into ``sum``, in passes. */
INLINE void NAME(leaves_of)(const int groups, NAME(Tree) tree, const REAL *param, const NAME(Scratch) *s,
                            int32_t columns)
{
    const int vectors = groups * PARTS, rows = groups * LANES;
    for (int32_t node = 0; node < tree.nodes; node++) {
        VECTOR *sum = (VECTOR *)(s->sum + (size_t)node * rows);
        const int32_t start = tree.first_param[node] - tree.base;
        for (int k = 0; k < vectors; k++) {
            sum[k] = NAME(all)(param[start]);
        }
        s->reached[node] = start + 2;
    }
    for (int32_t limit = columns; limit < s->columns + columns; limit += columns) {
        for (int32_t node = 0; node < tree.nodes; node++) {
            VECTOR sum[MOST_VECTORS], *kept = (VECTOR *)(s->sum + (size_t)node * rows);
            const int32_t start = s->reached[node], end = NAME(end_of_pass)(tree, s, node, limit, param);
#pragma GCC unroll 16
            for (int k = 0; k < vectors; k++) {
                sum[k] = kept[k];
            }
            NAME(add_leaves)(groups, tree, start, end, param, s->x, sum);
#pragma GCC unroll 16
            for (int k = 0; k < vectors; k++) {
                kept[k] = sum[k];
            }
            s->reached[node] = end;
        }
    }
}

/* Values of all nodes: prefix order backwards is children before parents. ``groups`` is a constant where this is
   inlined, so the sums of a node stay in registers until all its children are added. */
INLINE void NAME(forward_of)(const int groups, NAME(Tree) tree, const REAL *param, const NAME(Scratch) *s)
{
    const int vectors = groups * PARTS, rows = groups * LANES;
    const int32_t columns = NAME(columns_a_pass)(tree, s, rows);
    const int in_passes = columns < s->columns;
    if (in_passes) {
        NAME(leaves_of)(groups, tree, param, s, columns);
    }
    for (int32_t node = tree.nodes - 1; node >= 0; node--) {
        const int32_t start = tree.first_param[node] - tree.base, end = tree.first_param[node + 1] - tree.base;
        VECTOR sum[MOST_VECTORS], *kept = (VECTOR *)(s->sum + (size_t)node * rows);
        const VECTOR bias = NAME(all)(param[start]);
#pragma GCC unroll 16
        for (int k = 0; k < vectors; k++) {
            sum[k] = in_passes ? kept[k] : bias;
        }
        if (!in_passes) {
            NAME(add_leaves)(groups, tree, start + 2, end, param, s->x, sum);
        }
        for (int32_t child = node + 1; child < node + tree.size[node]; child += tree.size[child]) {
            const VECTOR *from = (const VECTOR *)(s->value + (size_t)child * rows);
            const VECTOR weight = NAME(all)(param[tree.first_param[child] - tree.base + 1]);
#pragma GCC unroll 16
            for (int k = 0; k < vectors; k++) {
                sum[k] = NAME(fma)(weight, from[k], sum[k]);
            }
        }
        if (tree.kind[node] == NT_IDENTITY) { /* nearly all outputs: its value is the sum */
            kept = (VECTOR *)(s->value + (size_t)node * rows);
        }
#pragma GCC unroll 16
        for (int k = 0; k < vectors; k++) {
            kept[k] = sum[k];
        }
        if (tree.kind[node] != NT_IDENTITY) {
            NAME(activate)(tree.kind[node], s->sum + (size_t)node * rows, s->value + (size_t)node * rows, rows);
        }
    }
}

/* delta x value, summed over the rows down to 16 lanes. */
INLINE void NAME(products)(const int groups, const VECTOR *delta, const VECTOR *value, VECTOR *lanes)
{
#pragma GCC unroll 16
    for (int k = 0; k < PARTS; k++) {
        lanes[k] = delta[k] * value[k];
    }
#pragma GCC unroll 16
    for (int k = PARTS; k < groups * PARTS; k++) {
        lanes[k % PARTS] = NAME(fma)(delta[k], value[k], lanes[k % PARTS]);
    }
}

/* The sum over the rows of delta x value. */
INLINE REAL NAME(dot)(const int groups, const VECTOR *delta, const VECTOR *value)
{
    VECTOR lanes[PARTS];
    NAME(products)(groups, delta, value, lanes);
    return NAME(sum)(lanes);
}

/* Adds to ``slope`` the sum over the rows of delta x input for ``count`` leaves. */
INLINE void NAME(add_dots)(const int groups, const VECTOR *delta, const REAL *x, const int32_t *column, int32_t count,
                           REAL *slope)
{
    const int rows = groups * LANES;
    int32_t p = 0;
#if WIDTH >= 32 && !defined(NT_DOUBLE)
    for (; p + 8 <= count; p += 8) {
        __m256 eight[8];
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            VECTOR lanes[PARTS];
            NAME(products)(groups, delta, (const VECTOR *)(x + (size_t)column[p + i] * rows), lanes);
            eight[i] = NAME(folded)(lanes);
        }
        NAME(add_sums)(eight, slope + p);
    }
#endif
    for (; p < count; p++) {
        slope[p] += NAME(dot)(groups, delta, (const VECTOR *)(x + (size_t)column[p] * rows));
    }
}

/* The gradient of all leaves, in passes; see ``leaves_of``. */
INLINE void NAME(leaf_slopes)(const int groups, NAME(Tree) tree, const NAME(Scratch) *s, int32_t columns, REAL *slope)
{
    for (int32_t node = 0; node < tree.nodes; node++) {
        s->reached[node] = tree.first_param[node] - tree.base + 2;
    }
    for (int32_t limit = columns; limit < s->columns + columns; limit += columns) {
        for (int32_t node = 0; node < tree.nodes; node++) {
            const VECTOR *delta = (const VECTOR *)(s->delta + (size_t)node * (groups * LANES));
            const int32_t start = s->reached[node], end = NAME(end_of_pass)(tree, s, node, limit, slope);
            NAME(add_dots)(groups, delta, s->x, tree.column + start, end - start, slope + start);
            s->reached[node] = end;
        }
    }
}

/* Adds to row i of ``slopes`` (nodes, columns) the sum over the rows of delta x input for node i and all inputs. */
INLINE void NAME(all_slopes_of)(const int groups, NAME(Tree) tree, const NAME(Scratch) *s, double *slopes)
{
    const int32_t most = NEAR / (BLOCK * sizeof(REAL));
    for (int32_t first = 0; first < s->columns; first += most) {
        const int32_t columns = (int32_t)least(most, s->columns - first);
        for (int32_t node = 0; node < tree.nodes; node++) {
            const VECTOR *delta = (const VECTOR *)(s->delta + (size_t)node * (groups * LANES));
            double *to = slopes + (int64_t)node * s->columns + first;
            REAL found[NEAR / (BLOCK * sizeof(REAL))] = {0};
            NAME(add_dots)(groups, delta, s->x, s->input + first, columns, found);
            for (int32_t f = 0; f < columns; f++) {
                to[f] += found[f];
            }
        }
    }
}

/* Adds the gradient of a block to ``slope``, that of the leaves if ``leaves``. ``delta`` holds the derivatives by the
   outputs and, after, by the sums of all nodes. Prefix order is parents before children. */
INLINE void NAME(backward_of)(const int groups, NAME(Tree) tree, const REAL *param, const NAME(Scratch) *s, REAL *slope,
                              int leaves)
{
    const int vectors = groups * PARTS, rows = groups * LANES;
    const int32_t columns = NAME(columns_a_pass)(tree, s, rows);
    for (int32_t node = 0; node < tree.nodes; node++) {
        const int32_t start = tree.first_param[node] - tree.base, end = tree.first_param[node + 1] - tree.base;
        REAL *arrived = s->delta + (size_t)node * rows;
        NAME(bend)(tree.kind[node], s->sum + (size_t)node * rows, s->value + (size_t)node * rows, arrived, rows);
        VECTOR delta[MOST_VECTORS], lanes[PARTS];
#pragma GCC unroll 16
        for (int k = 0; k < vectors; k++) {
            delta[k] = ((const VECTOR *)arrived)[k];
        }
#pragma GCC unroll 16
        for (int k = 0; k < PARTS; k++) {
            lanes[k] = delta[k];
        }
#pragma GCC unroll 16
        for (int k = PARTS; k < vectors; k++) {
            lanes[k % PARTS] += delta[k];
        }
        slope[start] += NAME(sum)(lanes);
        if (leaves && columns == s->columns) {
            NAME(add_dots)(groups, delta, s->x, tree.column + start + 2, end - start - 2, slope + start + 2);
        }
        for (int32_t child = node + 1; child < node + tree.size[node]; child += tree.size[child]) {
            const int32_t edge = tree.first_param[child] - tree.base + 1;
            VECTOR *to = (VECTOR *)(s->delta + (size_t)child * rows);
            const VECTOR weight = NAME(all)(param[edge]);
            slope[edge] += NAME(dot)(groups, delta, (const VECTOR *)(s->value + (size_t)child * rows));
#pragma GCC unroll 16
            for (int k = 0; k < vectors; k++) {
                to[k] = weight * delta[k];
            }
        }
    }
    if (leaves && columns < s->columns) {
        NAME(leaf_slopes)(groups, tree, s, columns, slope);
    }
}

/* One compiled copy for every number of groups that a block may have. */
#define EACH_GROUP(DO)                                                                                                 \
    switch (groups) {                                                                                                  \
    case 1:                                                                                                            \
        DO(1);                                                                                                         \
        break;                                                                                                         \
    case 2:                                                                                                            \
        DO(2);                                                                                                         \
        break;                                                                                                         \
    case 3:                                                                                                            \
        DO((GROUPS > 3 ? 3 : GROUPS));                                                                                 \
        break;                                                                                                         \
    default:                                                                                                           \
        DO(GROUPS);                                                                                                    \
    }

static void NAME(forward)(int groups, NAME(Tree) tree, const REAL *param, const NAME(Scratch) *s)
{
#define DO(n) NAME(forward_of)(n, tree, param, s)
    EACH_GROUP(DO)
#undef DO
}

static void NAME(backward)(int groups, NAME(Tree) tree, const REAL *param, const NAME(Scratch) *s, REAL *slope,
                           int leaves)
{
#define DO(n) NAME(backward_of)(n, tree, param, s, slope, leaves)
    EACH_GROUP(DO)
#undef DO
}

static void NAME(all_slopes)(int groups, NAME(Tree) tree, const NAME(Scratch) *s, double *slopes)
{
#define DO(n) NAME(all_slopes_of)(n, tree, s, slopes)
    EACH_GROUP(DO)
#undef DO
}

static void NAME(clear)(REAL *numbers, int64_t count) { memset(numbers, 0, (size_t)count * sizeof(REAL)); }

/* The losses over the rows of a block: loops of their own, like the activations. Softmax, which depends on all outputs
   together, has its own steps below. */
#define LOSS(code, name, VALUE, SLOPE)                                                                                  \
    APART void NAME(loss_##name)(const REAL *restrict output, const REAL *restrict target, REAL level,                 \
                                 REAL *restrict each, int rows)                                                        \
    {                                                                                                                  \
        (void)level;                                                                                                   \
        for (int b = 0; b < rows; b++) {                                                                               \
            const REAL z = output[b], y = target[b];                                                                   \
            each[b] += VALUE;                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    APART void NAME(tilt_##name)(const REAL *restrict output, const REAL *restrict target, REAL level,                 \
                                 const REAL *restrict share, REAL *restrict delta, int rows)                           \
    {                                                                                                                  \
        (void)level;                                                                                                   \
        for (int b = 0; b < rows; b++) {                                                                               \
            const REAL z = output[b], y = target[b];                                                                   \
            delta[b] = SLOPE * share[b];                                                                               \
        }                                                                                                              \
    }
EACH_LOSS(LOSS)
#undef LOSS

/* The loss of one output, for losses that are a sum over the outputs, and its derivative. */
static void NAME(add_loss)(const Job *job, const REAL *z, const REAL *y, REAL *each, int rows)
{
#define CASE(code, name, VALUE, SLOPE)                                                                                 \
    case NT_LOSS_##name:                                                                                               \
        NAME(loss_##name)(z, y, (REAL)job->level, each, rows);                                                         \
        break;
    switch (job->loss) {
        EACH_LOSS(CASE)
    }
#undef CASE
}

static void NAME(tilt)(const Job *job, const REAL *z, const REAL *y, const REAL *share, REAL *delta, int rows)
{
#define CASE(code, name, VALUE, SLOPE)                                                                                 \
    case NT_LOSS_##name:                                                                                               \
        NAME(tilt_##name)(z, y, (REAL)job->level, share, delta, rows);                                                 \
        break;
    switch (job->loss) {
        EACH_LOSS(CASE)
    }
#undef CASE
}

APART void NAME(larger)(const REAL *restrict z, REAL *restrict most, int rows)
{
    for (int b = 0; b < rows; b++) {
        most[b] = z[b] > most[b] ? z[b] : most[b];
    }
}

APART void NAME(powers)(const REAL *restrict z, const REAL *restrict most, REAL *restrict power, REAL *restrict total,
                        int rows)
{
    for (int b = 0; b < rows; b++) {
        power[b] = NAME(exp)(z[b] - most[b]);
        total[b] += power[b];
    }
}

APART void NAME(softmax_slope)(const REAL *restrict inverse, const REAL *restrict y, const REAL *restrict share,
                               REAL *restrict delta, int rows)
{
    for (int b = 0; b < rows; b++) {
        delta[b] = (delta[b] * inverse[b] - y[b]) * share[b];
    }
}

APART void NAME(chosen_loss)(const REAL *restrict z, const REAL *restrict y, REAL *restrict each, int rows)
{
    for (int b = 0; b < rows; b++) {
        each[b] -= y[b] * z[b];
    }
}

APART void NAME(total_loss)(const REAL *restrict most, const REAL *restrict total, REAL *restrict each, int rows)
{
    for (int b = 0; b < rows; b++) {
        each[b] += most[b] + NAME(log_of)(total[b]);
    }
}

APART void NAME(invert)(REAL *restrict numbers, int rows)
{
    for (int b = 0; b < rows; b++) {
        numbers[b] = 1 / numbers[b];
    }
}

/* The powers of all outputs into ``delta``, less the largest so that none overflows, and their sum. */
static void NAME(all_powers)(NAME(Tree) tree, const NAME(Scratch) *s, int rows, REAL *most, REAL *total)
{
    memcpy(most, s->value, (size_t)rows * sizeof(REAL));
    for (int32_t node = tree.size[0]; node < tree.nodes; node += tree.size[node]) {
        NAME(larger)(s->value + (size_t)node * rows, most, rows);
    }
    NAME(clear)(total, rows);
    for (int32_t node = 0; node < tree.nodes; node += tree.size[node]) {
        NAME(powers)(s->value + (size_t)node * rows, most, s->delta + (size_t)node * rows, total, rows);
    }
}

APART void NAME(two_totals)(const REAL *restrict z, const REAL *restrict most, REAL cool, REAL *restrict total,
                            REAL *restrict warm, int rows)
{
    for (int b = 0; b < rows; b++) {
        total[b] += NAME(exp)(z[b] - most[b]);
        warm[b] += NAME(exp)((z[b] - most[b]) * cool);
    }
}

APART void NAME(two_losses)(const REAL *restrict most, const REAL *restrict total, const REAL *restrict warm,
                            const REAL *restrict soft, REAL temperature, REAL *restrict each, int rows)
{
    for (int b = 0; b < rows; b++) {
        const REAL plain = most[b] + NAME(log_of)(total[b]);
        const REAL warmer = temperature * most[b] + temperature * temperature * NAME(log_of)(warm[b]);
        each[b] = (1 - soft[b]) * plain + soft[b] * warmer;
    }
}

APART void NAME(two_slopes)(const REAL *restrict z, const REAL *restrict y, const NAME(Scratch) *s, REAL temperature,
                            REAL *restrict delta, int rows)
{
    const REAL *restrict most = s->loss + BLOCK, *restrict total = s->loss + 2 * BLOCK;
    const REAL *restrict warm = s->loss + 3 * BLOCK, *restrict soft = s->soft, *restrict share = s->share;
    const REAL cool = 1 / temperature;
    for (int b = 0; b < rows; b++) {
        const REAL plain = NAME(exp)(z[b] - most[b]) / total[b];
        const REAL warmer = temperature * NAME(exp)((z[b] - most[b]) * cool) / warm[b];
        delta[b] = ((1 - soft[b]) * plain + soft[b] * warmer - y[b]) * share[b];
    }
}

/* As loss_of, for rows that count at a temperature T for a share: (1 - soft) lse(z) + soft T^2 lse(z / T) - y z. A
   single output is the second of two whose first is 0. */
static void NAME(softened)(const Job *job, NAME(Tree) tree, const NAME(Scratch) *s, int rows, int slopes, REAL *each)
{
    REAL *most = s->loss + BLOCK, *total = s->loss + 2 * BLOCK, *warm = s->loss + 3 * BLOCK;
    const REAL temperature = (REAL)job->temperature, cool = 1 / temperature;
    const int single = job->loss == NT_LOSS_logistic;
    NAME(clear)(total, rows);
    NAME(clear)(warm, rows);
    memcpy(most, s->value, (size_t)rows * sizeof(REAL));
    if (single) {
        NAME(clear)(s->delta, rows);
        NAME(larger)(s->delta, most, rows);
        NAME(two_totals)(s->delta, most, cool, total, warm, rows);
    }
    for (int32_t node = 0; node < tree.nodes; node += tree.size[node]) {
        NAME(larger)(s->value + (size_t)node * rows, most, rows);
    }
    for (int32_t node = 0; node < tree.nodes; node += tree.size[node]) {
        NAME(two_totals)(s->value + (size_t)node * rows, most, cool, total, warm, rows);
    }
    if (each) {
        NAME(two_losses)(most, total, warm, s->soft, temperature, each, rows);
    }
    const REAL *y = s->y;
    for (int32_t node = 0; node < tree.nodes; node += tree.size[node], y += rows) {
        const REAL *z = s->value + (size_t)node * rows;
        if (each) {
            NAME(chosen_loss)(z, y, each, rows);
        }
        if (slopes) {
            NAME(two_slopes)(z, y, s, temperature, s->delta + (size_t)node * rows, rows);
        }
    }
}

/* The derivative of the loss by the outputs into ``delta``, times ``share``, if ``slopes``; and, if ``each`` is not
   null, the loss of every row into it. */
static void NAME(loss_of)(const Job *job, NAME(Tree) tree, const NAME(Scratch) *s, int rows, int slopes, REAL *each)
{
    if (job->soft) {
        NAME(softened)(job, tree, s, rows, slopes, each);
        return;
    }
    REAL *most = s->loss + BLOCK, *total = s->loss + 2 * BLOCK;
    const int softmax = job->loss == NT_LOSS_softmax;
    if (each) {
        NAME(clear)(each, rows);
    }
    if (softmax) {
        NAME(all_powers)(tree, s, rows, most, total);
        if (each) {
            NAME(total_loss)(most, total, each, rows);
        }
        NAME(invert)(total, rows);
    }
    const REAL *y = s->y;
    for (int32_t node = 0; node < tree.nodes; node += tree.size[node], y += rows) {
        const REAL *z = s->value + (size_t)node * rows;
        REAL *delta = s->delta + (size_t)node * rows;
        if (each && softmax) {
            NAME(chosen_loss)(z, y, each, rows);
        } else if (each) {
            NAME(add_loss)(job, z, y, each, rows);
        }
        if (slopes && softmax) {
            NAME(softmax_slope)(total, y, s->share, delta, rows);
        } else if (slopes) {
            NAME(tilt)(job, z, y, s->share, delta, rows);
        }
    }
}

/* 1 into ``s->loss`` for each row whose class is wrong: that of the largest output, the first of equal ones, or the
   sign of a single output. A row of which an output is not finite is wrong. */
static void NAME(wrong_of)(const Job *job, NAME(Tree) tree, const NAME(Scratch) *s, int rows)
{
    REAL *restrict wrong = s->loss, *restrict most = s->loss + BLOCK;
    REAL *restrict picked = s->loss + 2 * BLOCK, *restrict top = s->loss + 3 * BLOCK;
    int32_t output = 0;
    for (int32_t node = 0; node < tree.nodes; node += tree.size[node], output++) {
        const REAL *restrict z = s->value + (size_t)node * rows, *restrict y = s->y + (size_t)output * rows;
        for (int b = 0; b < rows; b++) {
            const int largest = output == 0 || z[b] > most[b];
            picked[b] = largest ? y[b] : picked[b];
            most[b] = largest ? z[b] : most[b];
            top[b] = output == 0 || y[b] > top[b] ? y[b] : top[b];
            wrong[b] = (output == 0 ? 0 : wrong[b]) + z[b] * 0; /* NaN if an output is not finite */
        }
    }
    for (int b = 0; b < rows; b++) {
        const int right = job->outputs > 1 ? picked[b] == top[b] : (most[b] > 0) == (top[b] > 0);
        wrong[b] = right && wrong[b] == 0 ? 0 : 1;
    }
}

/* The sum of loss x share over the rows of a block. */
static double NAME(shared_loss)(const NAME(Scratch) *s, int groups)
{
    return NAME(dot)(groups, (const VECTOR *)s->loss, (const VECTOR *)s->share);
}

/* The rows of one block: at most BLOCK of ``count``, as whole groups of lanes. */
#define BLOCK_OF(done, count) ((int)least(BLOCK, (count) - (done)))
#define GROUPS_OF(rows) ((int)(padded(rows) / LANES))

/* Mean validation losses, or error rates, of the active trees into ``total``; infinite if a loss or a weight is not
   finite. */
static void NAME(validate)(const Job *job, const NAME(Scratch) *s)
{
    const REAL *weight = job->weight;
    double weights = 0.0;
    for (int32_t tree = 0; tree < job->trees; tree++) {
        s->total[tree] = 0.0;
    }
    for (int64_t done = 0; done < job->validation_rows && !*job->stop; done += BLOCK) {
        const int count = BLOCK_OF(done, job->validation_rows), groups = GROUPS_OF(count);
        NAME(gather)(job, s, job->validation + done, count, groups * LANES, 1);
        for (int b = 0; b < count; b++) {
            weights += weight[job->validation[done + b]];
        }
        for (int32_t tree = 0; tree < job->trees; tree++) {
            if (s->active[tree]) {
                const NAME(Tree) of = NAME(tree)(job, s, tree);
                NAME(forward)(groups, of, (const REAL *)job->param + of.base, s);
                if (job->judge == NT_JUDGE_error_rate) {
                    NAME(wrong_of)(job, of, s, groups * LANES);
                } else {
                    NAME(loss_of)(job, of, s, groups * LANES, 0, s->loss);
                }
                s->total[tree] += NAME(shared_loss)(s, groups);
            }
        }
    }
    for (int32_t tree = 0; tree < job->trees; tree++) {
        const int32_t start = first_of(job, tree), end = first_of(job, tree + 1);
        REAL broken = 0;
        for (int32_t p = start; p < end; p++) {
            broken += ((const REAL *)job->param)[p] * 0; /* NaN if a weight is infinite or NaN */
        }
        const double loss = weights > 0 ? s->total[tree] / weights : s->total[tree];
        s->total[tree] = broken == 0 && loss - loss == 0 ? loss : __builtin_inf();
    }
}

/* The proximal step of ``by`` x the L1 norm: every edge weight of a tree comes nearer to 0 by ``by``, and stops there.
   NaN stays NaN, so that a tree that diverged is known by it. */
static void NAME(shrink)(const Job *job, int32_t tree, REAL by)
{
    for (int32_t node = job->first_node[tree]; node < job->first_node[tree + 1]; node++) {
        REAL *param = (REAL *)job->param + job->first_param[node];
        const int32_t count = job->first_param[node + 1] - job->first_param[node];
        for (int32_t i = 1; i < count; i++) { /* the first one is the bias */
            const REAL w = param[i], left = (w < 0 ? -w : w) - by;
            param[i] = left <= 0 ? 0 : w < 0 ? -left : left;
        }
    }
}

/* The proximal step of ``by`` x the sum over the nodes of the norm of their incoming weights: each norm becomes less by
   ``by``, and stops at 0. NaN stays NaN. */
static void NAME(shrink_groups)(const Job *job, int32_t tree, REAL by)
{
    REAL *params = job->param;
    for (int32_t node = job->first_node[tree]; node < job->first_node[tree + 1]; node++) {
        const int32_t first = job->first_param[node] + 2, end = job->first_param[node + 1], last = node + job->size[node];
        REAL squares = 0;
        for (int32_t p = first; p < end; p++) {
            squares += params[p] * params[p];
        }
        for (int32_t child = node + 1; child < last; child += job->size[child]) {
            const REAL w = params[job->first_param[child] + 1];
            squares += w * w;
        }
        const REAL norm = sqrtf(squares), left = norm <= by ? 0 : 1 - by / norm;
        for (int32_t p = first; p < end; p++) {
            params[p] *= left;
        }
        for (int32_t child = node + 1; child < last; child += job->size[child]) {
            params[job->first_param[child] + 1] *= left;
        }
    }
}

/* One update of every active tree by the rows of a batch, a block at a time, so that all trees share a gathered one. */
static void NAME(step)(const Job *job, const NAME(Scratch) *s, const int32_t *rows, int64_t count, NAME(Step) step,
                       double *losses)
{
    NAME(clear)(s->slope, job->params);
    for (int64_t done = 0; done < count; done += BLOCK) {
        const int here = BLOCK_OF(done, count), groups = GROUPS_OF(here);
        NAME(gather)(job, s, rows + done, here, groups * LANES, 1 / (REAL)count);
        for (int32_t tree = 0; tree < job->trees; tree++) {
            if (s->active[tree]) {
                const NAME(Tree) of = NAME(tree)(job, s, tree);
                const REAL *param = (const REAL *)job->param + of.base;
                NAME(forward)(groups, of, param, s);
                NAME(loss_of)(job, of, s, groups * LANES, 1, losses ? s->loss : NULL);
                if (losses) {
                    losses[tree] += NAME(shared_loss)(s, groups);
                }
                NAME(backward)(groups, of, param, s, s->slope + of.base, 1);
            }
        }
    }
    for (int32_t tree = 0; tree < job->trees; tree++) {
        if (s->active[tree]) {
            const int32_t start = first_of(job, tree), params = first_of(job, tree + 1) - start;
            REAL *first = (REAL *)job->first + start, *second = (REAL *)job->second + start, *slope = s->slope + start;
            NAME(Step) own = step;
            if (job->learned) {
                const REAL found = NAME(rate_slope)(job->optimizer, first, second, slope, params, step);
                own.rate *= NAME(learned_rate)(job, tree, found);
            }
            NAME(update)(job->optimizer, (REAL *)job->param + start, first, second, slope, params, own);
            if (job->l1) {
                NAME(shrink)(job, tree, own.rate * (REAL)job->l1[tree]);
            }
            if (job->group_l1) {
                NAME(shrink_groups)(job, tree, own.rate * (REAL)job->group_l1[tree]);
            }
        }
    }
}

/* The weights of the trees whose last validation was their best; without validation rows, the latest finite ones. */
static int NAME(keep_better)(const Job *job, const NAME(Scratch) *s, int32_t epoch)
{
    int active = 0;
    for (int32_t tree = 0; tree < job->trees; tree++) {
        if (!s->active[tree]) {
            continue;
        }
        const int32_t start = first_of(job, tree), end = first_of(job, tree + 1);
        const double loss = s->total[tree];
        if (loss < __builtin_inf() && (loss < job->best_loss[tree] || epoch == 0 || job->validation_rows == 0)) {
            job->best_loss[tree] = loss;
            job->best_epoch[tree] = epoch;
            memcpy((REAL *)job->best + start, (const REAL *)job->param + start, (size_t)(end - start) * sizeof(REAL));
        }
        s->active[tree] = epoch < job->limit[tree] &&
                          (job->patience == 0 || epoch - job->best_epoch[tree] < job->patience);
        active |= s->active[tree];
    }
    return active;
}

/* Train every tree for its epochs; ``best`` holds the weights of its best epoch, epoch 0 being untrained. */
int NAME(nt_train)(Job *job)
{
    NAME(Scratch) s;
    const int bad = NAME(prepare)(job, &s, 0);
    if (bad) {
        return bad;
    }
    const int64_t steps = job->fit_rows / job->batch + (job->fit_rows % job->batch != 0);
    for (int32_t tree = 0; tree < job->trees; tree++) {
        s.active[tree] = 1;
        job->best_loss[tree] = __builtin_inf();
        job->best_epoch[tree] = 0;
    }
    if (job->params) {
        memcpy(job->best, job->param, (size_t)job->params * sizeof(REAL));
    }
    NAME(validate)(job, &s);
    int active = NAME(keep_better)(job, &s, 0);
    for (int32_t epoch = 0; epoch < job->epochs && active && !*job->stop; epoch++) {
        const int32_t *order = job->order + (epoch % job->shuffles) * job->fit_rows;
        double *losses = job->losses ? job->losses + (size_t)epoch * (size_t)job->trees : NULL;
        for (int64_t i = 0; i < steps && !*job->stop; i++) {
            const int64_t first = i * job->batch;
            const int64_t past = job->count;
            const NAME(Step) step = {(REAL)job->rates[epoch * steps + i], (REAL)job->decay,
                                     (REAL)(1.0 - power(NT_FIRST_DECAY, past + 1)),
                                     (REAL)(1.0 - power(NT_SECOND_DECAY, past + 1)),
                                     past ? (REAL)(1.0 - power(NT_FIRST_DECAY, past)) : 1,
                                     past ? (REAL)(1.0 - power(NT_SECOND_DECAY, past)) : 1};
            NAME(step)(job, &s, order + first, least(job->batch, job->fit_rows - first), step, losses);
            job->count++;
        }
        for (int32_t tree = 0; losses && steps && tree < job->trees; tree++) {
            losses[tree] /= (double)steps;
        }
        NAME(validate)(job, &s);
        active = NAME(keep_better)(job, &s, epoch + 1);
    }
    free(s.memory);
    return *job->stop ? NT_STOPPED : NT_DONE;
}

/* Outputs (trees, outputs, validation rows) into ``found``. */
int NAME(nt_predict)(Job *job)
{
    NAME(Scratch) s;
    const int bad = NAME(prepare)(job, &s, 0);
    if (bad) {
        return bad;
    }
    const int64_t rows = job->validation_rows;
    for (int64_t done = 0; done < rows && !*job->stop; done += BLOCK) {
        const int count = BLOCK_OF(done, rows), groups = GROUPS_OF(count);
        NAME(gather)(job, &s, job->validation + done, count, groups * LANES, 1);
        for (int32_t tree = 0; tree < job->trees; tree++) {
            const NAME(Tree) of = NAME(tree)(job, &s, tree);
            NAME(forward)(groups, of, (const REAL *)job->param + of.base, &s);
            int32_t output = 0;
            for (int32_t node = 0; node < of.nodes; node += of.size[node], output++) {
                REAL *to = (REAL *)job->found + ((int64_t)tree * job->outputs + output) * rows + done;
                memcpy(to, s.value + (size_t)node * (size_t)(groups * LANES), (size_t)count * sizeof(REAL));
            }
        }
    }
    free(s.memory);
    return *job->stop ? NT_STOPPED : NT_DONE;
}

/* For every function node and every input, whether an edge joins them or not: the derivative of the loss by the weight
   of that edge, summed over the validation rows into ``slopes``. */
int NAME(nt_slopes)(Job *job)
{
    NAME(Scratch) s;
    const int bad = NAME(prepare)(job, &s, 1);
    if (bad) {
        return bad;
    }
    memset(job->slopes, 0, (size_t)job->nodes * (size_t)job->features * sizeof(double));
    NAME(clear)(s.slope, job->params);
    for (int64_t done = 0; done < job->validation_rows && !*job->stop; done += BLOCK) {
        const int count = BLOCK_OF(done, job->validation_rows), groups = GROUPS_OF(count), width = groups * LANES;
        NAME(gather)(job, &s, job->validation + done, count, width, 1);
        for (int32_t tree = 0; tree < job->trees; tree++) {
            const NAME(Tree) of = NAME(tree)(job, &s, tree);
            const REAL *param = (const REAL *)job->param + of.base;
            NAME(forward)(groups, of, param, &s);
            NAME(loss_of)(job, of, &s, width, 1, NULL);
            NAME(backward)(groups, of, param, &s, s.slope + of.base, 0);
            NAME(all_slopes)(groups, of, &s, job->slopes + (int64_t)job->first_node[tree] * job->features);
        }
    }
    free(s.memory);
    return *job->stop ? NT_STOPPED : NT_DONE;
}

/* The derivatives by the parameters into ``first``, and by the inputs into ``by_input``, from those by the outputs in
   ``found``; ``validation`` lists every row once. */
int NAME(nt_pullback)(Job *job)
{
    NAME(Scratch) s;
    const int bad = NAME(prepare)(job, &s, 0);
    if (bad) {
        return bad;
    }
    const int64_t rows = job->validation_rows;
    REAL *slope = job->first, *by_input = job->by_input;
    NAME(clear)(slope, job->params);
    if (by_input) {
        NAME(clear)(by_input, job->rows * job->features);
    }
    for (int64_t done = 0; done < rows; done += BLOCK) {
        const int count = BLOCK_OF(done, rows), groups = GROUPS_OF(count), width = groups * LANES;
        NAME(gather)(job, &s, job->validation + done, count, width, 1);
        for (int32_t tree = 0; tree < job->trees; tree++) {
            const NAME(Tree) of = NAME(tree)(job, &s, tree);
            const REAL *param = (const REAL *)job->param + of.base;
            NAME(forward)(groups, of, param, &s);
            int32_t output = 0;
            for (int32_t node = 0; node < of.nodes; node += of.size[node], output++) {
                const REAL *from = (const REAL *)job->found + ((int64_t)tree * job->outputs + output) * rows + done;
                for (int b = 0; b < width; b++) {
                    s.delta[(size_t)node * (size_t)width + (size_t)b] = b < count ? from[b] : 0;
                }
            }
            NAME(backward)(groups, of, param, &s, slope + of.base, 1);
            for (int32_t node = 0; node < of.nodes && by_input; node++) {
                const REAL *delta = s.delta + (size_t)node * (size_t)width;
                for (int32_t p = of.first_param[node] - of.base + 2; p < of.first_param[node + 1] - of.base; p++) {
                    const int32_t input = s.input[of.column[p]];
                    for (int b = 0; b < count; b++) {
                        by_input[(int64_t)job->validation[done + b] * job->features + input] += param[p] * delta[b];
                    }
                }
            }
        }
    }
    free(s.memory);
    return NT_DONE;
}

#undef APART
#undef PER
#undef PARTS
#undef MOST_VECTORS
#undef BLOCK
#undef NEAR
#undef AHEAD
#undef VECTOR
#undef FMA1
#undef MAGIC
#undef FARTHEST
#undef EACH_GROUP
#undef BLOCK_OF
#undef GROUPS_OF
#undef R
#undef expf
#undef tanhf
#undef sinf
#undef nt_cosine
#undef fabsf
#undef sqrtf
