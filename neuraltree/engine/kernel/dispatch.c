/* The choice among the variants of the kernel that were compiled, by what this processor can do. */

#include <stddef.h>
#include <string.h>

#include "kernel.h"
#include "rows.h"

#define DECLARE(variant)                                                                                               \
    int nt_train_f32##variant(Job *), nt_train_f64##variant(Job *), nt_predict_f32##variant(Job *),                    \
        nt_predict_f64##variant(Job *), nt_slopes_f32##variant(Job *), nt_slopes_f64##variant(Job *),                  \
        nt_pullback_f32##variant(Job *), nt_pullback_f64##variant(Job *), nt_integers##variant(Integers *),        \
        nt_exits##variant(Exits *);
EACH_VARIANT(DECLARE)

typedef int (*Function)(Job *);

typedef struct {
    const char *name;
    Function functions[8]; /* train, predict, slopes, pullback; each for float and double */
    int (*integers)(Integers *);
    int (*exits)(Exits *);
} Variant;

#define LIST(variant)                                                                                                  \
    {#variant,                                                                                                         \
     {nt_train_f32##variant, nt_train_f64##variant, nt_predict_f32##variant, nt_predict_f64##variant,                  \
      nt_slopes_f32##variant, nt_slopes_f64##variant, nt_pullback_f32##variant, nt_pullback_f64##variant},  \
     nt_integers##variant,                                                                                             \
     nt_exits##variant},
static const Variant variants[] = {EACH_VARIANT(LIST)};
static const int count = (int)(sizeof variants / sizeof variants[0]);
static int chosen = -1;

#if defined(__x86_64__)
#include <cpuid.h>

/* The registers that the operating system saves: 6 for AVX, e6 for AVX-512 too. */
static unsigned saved_registers(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static int runs_here(const char *name)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27)) || !(c & (1u << 12)) || (saved_registers() & 6) != 6 ||
        !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & (1u << 5))) {
        return 0; /* no XSAVE, FMA or AVX2 */
    }
    if (strcmp(name, "_avx512") == 0) {
        const unsigned wanted = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
        return (b & wanted) == wanted && (saved_registers() & 0xe6) == 0xe6;
    }
    return 1;
}
#else
static int runs_here(const char *name) { return name != NULL; }
#endif

const char *nt_digest(void) { return NT_DIGEST; }

/* The name of variant ``index``, without the underscore; null beyond the last. */
const char *nt_variant(int index) { return index >= 0 && index < count ? variants[index].name + 1 : NULL; }

/* Use a variant: ``index`` in their order, or -1 for the last that runs here. Returns the one in use, or -1. */
int nt_use(int index)
{
    for (int i = count - 1; i >= 0; i--) {
        if ((index < 0 || i == index) && runs_here(variants[i].name)) {
            return chosen = i;
        }
    }
    return -1;
}

static const char *const messages[] = {
    [NT_STOPPED] = "the kernel was stopped",
    [NT_MEMORY] = "the kernel could not allocate its working memory",
    [NT_FOREST] = "the forest is malformed: an index of its structure lies outside its arrays",
    [NT_ROWS] = "the rows are malformed: an index lies outside the data",
    [NT_SETTINGS] = "the kernel does not know this loss or optimiser, the loss has no temperature, or the batch size is not at least 1",
};

/* What a status of nt_call means; null if all went well. */
const char *nt_message(int status) { return messages[status]; }

/* ``function`` counts the entries of a variant's table; ``nt_use`` must have succeeded before. */
int nt_call(int function, Job *job)
{
    return chosen >= 0 && function >= 0 && function < 8 ? variants[chosen].functions[function](job) : NT_SETTINGS;
}

int nt_exits(Exits *job) { return chosen >= 0 ? variants[chosen].exits(job) : NT_SETTINGS; }

int nt_integers(Integers *job) { return chosen >= 0 ? variants[chosen].integers(job) : NT_SETTINGS; }
