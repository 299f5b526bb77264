/* Training a population of neural trees in hand-written C: the peer of benchmarks/train_speed.py.
 *
 * One tree at a time, its nodes in post-order, a row of BATCH values for every node. All inner loops run over
 * the batch, whose length is known to the compiler, and the switch over activations stands outside of them.
 * Compile with -DBATCH=n; rows are padded to whole vectors, and the padding has no error. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16
#define ROW ((BATCH + LANES - 1) / LANES * LANES)

enum { SIGMOID, TANH, GAUSSIAN, RELU, SINE, IDENTITY }; /* the codes of neuraltree.activations */

typedef struct {
    int32_t features, most_nodes; /* of the data; of the largest tree */
    const int32_t *first_node;    /* (trees + 1) children stand before their parent, the output last */
    const int32_t *activation;    /* (nodes) */
    const int32_t *first_param;   /* (nodes + 1) a node's bias, then the weights of its edges */
    const int32_t *source;        /* (params) what an edge reads: a feature, or features + a node's place */
    float *param, *gradient;      /* (params) the gradient is that of the last step */
    float *square;                /* (params) RMSprop's running mean of squared gradients */
} Population;

typedef struct {
    int32_t steps, epochs;
    const float *inputs;  /* (rows, features) */
    const float *targets; /* (rows) */
    const int32_t *order; /* (epochs, steps x BATCH) which rows are seen when */
    float rate, decay, epsilon;
} Plan;

/* e^x: 2^n by its bits times 2^f, |f| <= 1/2, by its series. Inline, so that it vectorises with every compiler. */
static inline float exponential(float x)
{
    float t = fminf(fmaxf(x, -87.0f), 88.0f) * 1.44269504f;
    float n = rintf(t), f = (t - n) * 0.693147181f;
    float series = 1.0f / 120 + f * (1.0f / 720);
    series = 1.0f + f * (1.0f + f * (1.0f / 2 + f * (1.0f / 6 + f * (1.0f / 24 + f * series))));
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return series * power;
}

/* From the sum s that enters a node, its value h and its slope. */
#define EACH(VALUE, SLOPE)                   \
    for (int b = 0; b < ROW; b++) {          \
        const float s = sum[b], h = (VALUE); \
        value[b] = h;                        \
        slope[b] = (SLOPE);                  \
    }                                        \
    break;

static inline void activate(int kind, const float *restrict sum, float *restrict value, float *restrict slope)
{
    switch (kind) {
    case SIGMOID: EACH(1.0f / (1.0f + exponential(-s)), h * (1.0f - h))
    case TANH: EACH(2.0f / (1.0f + exponential(-2.0f * s)) - 1.0f, 1.0f - h * h)
    case GAUSSIAN: EACH(exponential(-s * s), -2.0f * s * h)
    case RELU: EACH(fmaxf(s, 0.0f), s > 0.0f ? 1.0f : 0.0f)
    case SINE: EACH(sinf(s), cosf(s))
    default: EACH(s, 1.0f)
    }
}

/* The row an edge reads. Inputs are (features, ROW), values (nodes, ROW). */
static inline const float *read_from(const Population *p, int source, const float *inputs, const float *value)
{
    return source < p->features ? inputs + source * ROW : value + (source - p->features) * ROW;
}

/* Values of all nodes of a tree; their slopes wait in `delta` (nodes, ROW), where the gradients will arrive. */
static void forward(const Population *p, int tree, const float *inputs, float *value, float *delta)
{
    const int first = p->first_node[tree], nodes = p->first_node[tree + 1] - first;
    for (int n = 0; n < nodes; n++) {
        const int bias = p->first_param[first + n], end = p->first_param[first + n + 1];
        float sum[ROW];
        for (int b = 0; b < ROW; b++) sum[b] = p->param[bias];
        for (int e = bias + 1; e < end; e++) {
            const float weight = p->param[e], *row = read_from(p, p->source[e], inputs, value);
            for (int b = 0; b < ROW; b++) sum[b] += weight * row[b];
        }
        activate(p->activation[first + n], sum, value + n * ROW, delta + n * ROW);
    }
}

static void backward(const Population *p, int tree, const float *inputs, const float *value, float *delta)
{
    const int first = p->first_node[tree], nodes = p->first_node[tree + 1] - first;
    for (int n = nodes - 1; n >= 0; n--) {
        const int bias = p->first_param[first + n], end = p->first_param[first + n + 1];
        float here[ROW], total = 0.0f;
        memcpy(here, delta + n * ROW, sizeof here);
        for (int b = 0; b < ROW; b++) total += here[b];
        p->gradient[bias] = total;
        for (int e = bias + 1; e < end; e++) {
            const float weight = p->param[e], *row = read_from(p, p->source[e], inputs, value);
            float product = 0.0f;
            for (int b = 0; b < ROW; b++) product += here[b] * row[b];
            p->gradient[e] = product;
            if (p->source[e] < p->features) continue;
            float *child = delta + (p->source[e] - p->features) * ROW;
            for (int b = 0; b < ROW; b++) child[b] *= weight * here[b];
        }
    }
}

static void rmsprop(const Population *p, int tree, const Plan *plan)
{
    const int begin = p->first_param[p->first_node[tree]], end = p->first_param[p->first_node[tree + 1]];
    float *restrict param = p->param, *restrict square = p->square;
    const float *restrict gradient = p->gradient;
    for (int k = begin; k < end; k++) {
        const float g = gradient[k];
        square[k] = plan->decay * square[k] + (1.0f - plan->decay) * g * g;
        param[k] -= plan->rate * g / sqrtf(square[k] + plan->epsilon);
    }
}

/* One step on half the mean squared error, the loss "squared" of neuraltree.tasks. */
static void step(const Population *p, int tree, const Plan *plan, const float *inputs, const float *targets,
                 float *value, float *delta)
{
    const int output = p->first_node[tree + 1] - p->first_node[tree] - 1;
    forward(p, tree, inputs, value, delta);
    float *error = delta + output * ROW;
    const float *answer = value + output * ROW;
    for (int b = 0; b < BATCH; b++) error[b] *= (answer[b] - targets[b]) / BATCH;
    for (int b = BATCH; b < ROW; b++) error[b] = 0.0f;
    backward(p, tree, inputs, value, delta);
    rmsprop(p, tree, plan);
}

/* The batches of an epoch: inputs (steps, features, ROW) and targets (steps, ROW). Padding stays zero. */
static void gather(const Plan *plan, int features, int epoch, float *inputs, float *targets)
{
    const int32_t *order = plan->order + (size_t)epoch * plan->steps * BATCH;
    for (int s = 0; s < plan->steps; s++)
        for (int b = 0; b < BATCH; b++) {
            const int row = order[s * BATCH + b];
            targets[s * ROW + b] = plan->targets[row];
            for (int f = 0; f < features; f++)
                inputs[(s * features + f) * ROW + b] = plan->inputs[row * features + f];
        }
}

/* Train trees [begin, end); threads may take other trees of the same population. Returns 0, or 1: no memory. */
int train(const Population *p, const Plan *plan, int begin, int end)
{
    const size_t inputs_size = (size_t)plan->steps * p->features * ROW, targets_size = (size_t)plan->steps * ROW;
    const size_t rows_size = (size_t)p->most_nodes * ROW, size = inputs_size + targets_size + 2 * rows_size;
    float *memory = calloc(size + LANES, sizeof *memory);
    if (!memory) return 1;
    /* Rows begin where a vector does. */
    float *inputs = memory + (-(uintptr_t)memory / sizeof *memory) % LANES;
    float *targets = inputs + inputs_size, *value = targets + targets_size, *delta = value + rows_size;
    for (int epoch = 0; epoch < plan->epochs; epoch++) {
        gather(plan, p->features, epoch, inputs, targets);
        for (int tree = begin; tree < end; tree++)
            for (int s = 0; s < plan->steps; s++)
                step(p, tree, plan, inputs + s * p->features * ROW, targets + s * ROW, value, delta);
    }
    free(memory);
    return 0;
}
