/* The arguments of the kernel: one job is a forest, its rows, and its training. binding.py holds the same fields. */

#ifndef NT_KERNEL_H
#define NT_KERNEL_H

#include <stdint.h>

/* All arrays are contiguous. "real" is float or double, as the called function says.

   A forest has ``trees`` trees. The function nodes of a tree stand in prefix order, so the children of node i are
   i + 1, i + 1 + size[i + 1], ... below i + size[i]. Its parameters are, for each function node, its bias, the weight
   of the edge to its parent (unused at an output), and the weights of its leaves. */
typedef struct {
    int32_t trees, nodes, params, features, outputs;
    const int32_t *first_node;  /* (trees + 1) */
    const int32_t *size;        /* (nodes) function nodes in the subtree, the node itself counted */
    const int32_t *kind;        /* (nodes) activation codes */
    const int32_t *first_param; /* (nodes + 1) */
    const int32_t *source;      /* (params) the input of a leaf; -1 for a bias or an edge */

    int64_t rows;
    const void *inputs;  /* real (rows, features) */
    const void *targets; /* real (rows, outputs) */
    const void *weight;  /* real (rows) mean one */
    const void *soft;    /* real (rows) shares of the loss at a temperature; null if it is 1 */

    int64_t shuffles, fit_rows, batch, validation_rows;
    const int32_t *order;      /* (shuffles, fit_rows) rows; the epochs use the shuffles in turn */
    const int32_t *validation; /* (validation_rows) rows to validate on, to predict, or to take slopes over */
    const double *rates;       /* (epochs x steps) learning rates; shares of them if trees learn their own */
    const int32_t *limit;      /* (trees) most epochs of each tree */
    const double *l1;          /* (trees) rates of the L1 norm of the edge weights; null if there are none */
    const double *group_l1;    /* (trees) rates of the sum of the norms of the weights into each node; or null */
    int32_t epochs, patience, loss, optimizer;
    int32_t judge;  /* what validation measures: the loss, or the share of wrong classes */
    double decay;   /* weight decay */
    double level;   /* of a loss that has one */
    double temperature; /* of the softened part of the loss, if there is ``soft`` */
    double kappa_step;  /* by which learned rates learn their own step */
    int64_t count;  /* steps done before */

    void *param, *first, *second; /* real (params) in and out: weights and moments */
    void *learned;                /* real (trees, NT_LEARNED_STATE) in and out: see learned_rates.py; null without */
    void *best;                   /* real (params) out: the weights of the best epoch */
    double *best_loss;            /* (trees) out: of validation; infinite for a tree that was never finite */
    int32_t *best_epoch;          /* (trees) out */
    double *losses;               /* (epochs, trees) out: mean training losses; null if they are not wanted */
    void *found;                  /* real (trees, outputs, validation rows): outputs; in nt_pullback derivatives */
    double *slopes;               /* (nodes, features) out, summed over rows */
    void *by_input;               /* real (rows, features) out; null if it is not wanted */
    const volatile int32_t *stop; /* not 0: return soon */
} Job;

/* Trees laid end to end as 8-bit integers, and the quantised rows that they are evaluated for. */
typedef struct {
    int32_t nodes, levels, features, outputs, kinds; /* ``levels``: one more than the deepest node's depth */
    int64_t rows;
    const int32_t *depth, *op;                          /* (nodes) */
    const int32_t *weight, *bias, *multiplier, *shift;  /* (nodes) */
    const int32_t *low, *high, *repeats;                /* (kinds) the range of an index, and whether it wraps */
    const int8_t *table;                                /* (kinds, 256) values for the indices -128..127 */
    const int8_t *codes;                                /* (features, rows) */
    int32_t *found;                                     /* (outputs, rows) out: the sums of the output nodes */
    const volatile int32_t *stop;
} Integers;

/* Early exits of trees of classes in integers, and the rows that go on after each check. A term is a child of an output
   with all below it; the terms of all outputs of all trees stand in prefix order. */
typedef struct {
    int32_t trees, outputs, terms, reads, inputs;
    int32_t look;                        /* instructions of a check */
    int64_t typical, rows;               /* rows that choose the checks, and rows that are counted */
    const int32_t *first_term;           /* (trees x outputs + 1) */
    const int32_t *low, *high, *cost;    /* (terms) the least and most of what each adds, and its instructions */
    const int32_t *first_read, *read;    /* (terms + 1), (reads) the inputs of each term, each once */
    const int32_t *first_input;          /* (trees + 1) */
    const int32_t *input_cost;           /* (inputs) instructions that turn an input into 8 bits */
    const int32_t *bias, *multiplier, *shift; /* (trees x outputs) */
    const int32_t *threshold;            /* (trees) of a single output */
    const int32_t *added;                /* (terms, typical + rows) what each term adds to the sum */
    int32_t *part;                       /* (trees x outputs) out: the outputs of a tree in the order of its code */
    int32_t *order;                      /* (terms) out: the terms in that order */
    int32_t *passed;                     /* (terms) out: rows that go on after a check before a term; -1 if there is none */
    int32_t *ahead;                      /* (inputs) out: the place of the part before which it is read, or -1 */
    const volatile int32_t *stop;
} Exits;

enum { NT_JUDGE_loss, NT_JUDGE_error_rate, NT_JUDGES };

enum { NT_DONE, NT_STOPPED, NT_MEMORY, NT_FOREST, NT_ROWS, NT_SETTINGS };

/* See dispatch.c. */
int nt_call(int function, Job *job);
int nt_integers(Integers *job);
int nt_exits(Exits *job);
const char *nt_message(int status);

#endif
