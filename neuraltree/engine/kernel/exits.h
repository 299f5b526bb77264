/* Early exits of trees in integers, and how far rows go in them; kernel.c includes it for every instruction set.

   It does what compress/exits/early_exit.py says, in the same integers: the order of the terms of each output, the
   checks of least cost on typical rows, and the rows that go on after each check. */

#define LOWEST (-((int64_t)1 << 40)) /* below every score */

/* The memory that the trees share, one after the other. */
typedef struct {
    double *key;                                /* (terms) */
    int32_t *readers, *last_place;              /* (inputs) */
    uint8_t *done, *known;                      /* (terms), (inputs) */
    int64_t *costs, *running, *best, *next;     /* (terms + 2) */
    int64_t *low, *high;                        /* (terms + 1) what is still to be added */
    int64_t *free;                              /* (inputs) instructions that are left to pay for reading */
    int64_t *sums, *least, *kept;               /* (all rows) */
    int32_t *winner, *certain;                  /* (all rows) */
    int32_t *wins, *sequence;                   /* (outputs) */
} Space;

static int check_slices(const int32_t *first, int64_t count, int32_t end)
{
    for (int64_t i = 0; i < count; i++) {
        if (first[i] < 0 || first[i] > first[i + 1]) {
            return NT_FOREST;
        }
    }
    return first[0] == 0 && first[count] == end ? NT_DONE : NT_FOREST;
}

static int check_exits(const Exits *job)
{
    if (job->trees < 0 || job->outputs < 1 || job->outputs > MOST_COLUMNS || job->terms < 0 || job->reads < 0 ||
        job->inputs < 0 || job->typical < 0 || job->rows < 0 ||
        check_slices(job->first_term, (int64_t)job->trees * job->outputs, job->terms) ||
        check_slices(job->first_read, job->terms, job->reads) ||
        check_slices(job->first_input, job->trees, job->inputs)) {
        return NT_FOREST;
    }
    for (int64_t i = 0; i < (int64_t)job->trees * job->outputs; i++) {
        if (job->outputs > 1 && (job->shift[i] < 1 || job->shift[i] > 30)) {
            return NT_FOREST;
        }
    }
    for (int32_t tree = 0; tree < job->trees; tree++) {
        const int32_t *own = job->first_term + (int64_t)tree * job->outputs;
        for (int32_t i = job->first_read[own[0]]; i < job->first_read[own[job->outputs]]; i++) {
            if (job->read[i] < job->first_input[tree] || job->read[i] >= job->first_input[tree + 1]) {
                return NT_FOREST;
            }
        }
    }
    for (int32_t term = 0; term < job->terms; term++) {
        if (job->cost[term] < 1) {
            return NT_FOREST;
        }
    }
    return NT_DONE;
}

/* The change of the sum per instruction if a term is left out, with the inputs that only it still reads. */
static double key_of(const Exits *job, const Space *space, int32_t term)
{
    int64_t saved = job->cost[term];
    for (int32_t i = job->first_read[term]; i < job->first_read[term + 1]; i++) {
        saved += space->readers[job->read[i]] == 1 ? space->free[job->read[i]] : 0;
    }
    return (double)((int64_t)job->high[term] - job->low[term]) / (double)saved;
}

/* The terms of an output, ``order`` (count), from the last backwards; see ``ordered`` in output_terms.py. */
static void order_terms(const Exits *job, Space *space, int32_t first, int32_t count, int32_t *order)
{
    for (int32_t i = job->first_read[first]; i < job->first_read[first + count]; i++) {
        space->readers[job->read[i]] = 0;
    }
    for (int32_t term = first; term < first + count; term++) {
        for (int32_t i = job->first_read[term]; i < job->first_read[term + 1]; i++) {
            space->readers[job->read[i]]++;
        }
    }
    for (int32_t n = 0; n < count; n++) {
        space->key[n] = key_of(job, space, first + n);
        space->done[n] = 0;
    }
    for (int32_t place = count - 1; place >= 0; place--) {
        int32_t next = -1;
        for (int32_t n = 0; n < count; n++) {
            if (!space->done[n] && (next < 0 || space->key[n] < space->key[next])) {
                next = n;
            }
        }
        space->done[next] = 1;
        order[place] = first + next;
        int changed = 0;
        for (int32_t i = job->first_read[first + next]; i < job->first_read[first + next + 1]; i++) {
            changed |= --space->readers[job->read[i]] == 1;
        }
        for (int32_t n = 0; changed && n < count; n++) {
            if (!space->done[n]) {
                space->key[n] = key_of(job, space, first + n);
            }
        }
    }
}

/* What is still to be added after each number of terms, and the instructions of the first terms. */
static void sum_up(const Exits *job, Space *space, const int32_t *order, int32_t count)
{
    space->low[count] = space->high[count] = space->costs[0] = 0;
    for (int32_t n = count - 1; n >= 0; n--) {
        space->low[n] = space->low[n + 1] + job->low[order[n]];
        space->high[n] = space->high[n + 1] + job->high[order[n]];
    }
    for (int32_t n = 0; n < count; n++) {
        for (int32_t i = job->first_read[order[n]]; i < job->first_read[order[n] + 1]; i++) {
            space->readers[job->read[i]] = 0; /* whether the input is read already */
        }
    }
    for (int32_t n = 0; n < count; n++) {
        space->costs[n + 1] = space->costs[n] + job->cost[order[n]];
        for (int32_t i = job->first_read[order[n]]; i < job->first_read[order[n] + 1]; i++) {
            space->costs[n + 1] += space->readers[job->read[i]] ? 0 : space->free[job->read[i]];
            space->readers[job->read[i]] = 1;
        }
    }
}

/* The score of an output; of a single one its sum. */
static int64_t score_of(const Exits *job, int64_t output, int64_t sum)
{
    if (job->outputs == 1) {
        return sum;
    }
    const int32_t shift = job->shift[output];
    return (sum * job->multiplier[output] + ((int64_t)1 << (shift - 1))) >> shift;
}

/* Whether a row's answer is certain if the sum of an output lies between ``low`` and ``high``. */
static int decided(const Exits *job, int64_t output, int64_t low, int64_t high, int64_t limit)
{
    if (job->outputs == 1) {
        return low > job->threshold[output] || high <= job->threshold[output];
    }
    return score_of(job, output, high) <= limit;
}

/* What a score must exceed to be the best so far. */
static int64_t limit_of(const Space *space, int64_t row, int32_t k) { return space->least[row] - (space->winner[row] > k); }

/* The best output of a row and its score after one more, whose sum is at most ``high``. */
static void take_better(const Exits *job, Space *space, int64_t row, int64_t output, int32_t k, int64_t high)
{
    const int64_t score = score_of(job, output, high);
    if (score > limit_of(space, row, k)) {
        space->winner[row] = k;
        space->least[row] = score;
    }
}

/* The checks that cost least in all, by dynamic programming from the end (see checkpoints.py): ``passed`` becomes 0
   before the terms at which there is one. */
static void place_checks(const Exits *job, Space *space, int32_t count, int32_t *passed)
{
    /* running[n + 1]: the typical rows that still run after a check at n; running[0]: at the start. */
    memset(space->running, 0, sizeof(int64_t) * (size_t)(count + 2));
    for (int64_t row = 0; row < job->typical; row++) {
        space->running[space->certain[row]]++; /* how many are certain after so many terms */
    }
    for (int32_t n = count - 1, after = (int32_t)space->running[count]; n >= 0; n--) {
        const int32_t here = (int32_t)space->running[n];
        space->running[n + 1] = after;
        after += here;
    }
    space->running[0] = job->typical;
    space->best[count] = space->best[count + 1] = 0;
    for (int32_t n = count - 1; n >= -1; n--) {
        int64_t least_total = 0;
        for (int32_t end = n + 1; end <= count; end++) {
            const int64_t paid = end < count ? job->look : 0;
            const int64_t total =
                space->running[n + 1] * (space->costs[end] - space->costs[n > 0 ? n : 0] + paid) + space->best[end + 1];
            if (end == n + 1 || total < least_total) {
                least_total = total;
                space->next[n + 1] = end;
            }
        }
        space->best[n + 1] = least_total;
    }
    for (int64_t n = space->next[0]; n < count; n = space->next[n + 1]) {
        passed[n] = 0;
    }
}

/* After how many terms the typical rows are certain; their sums become those of all terms. */
static void count_typical(const Exits *job, Space *space, int64_t output, int32_t k, const int32_t *order,
                          int32_t count)
{
    const int64_t all = job->typical + job->rows;
    for (int64_t row = 0; row < job->typical; row++) {
        space->certain[row] = count;
        space->sums[row] = job->bias[output];
    }
    for (int32_t n = 0; n < count; n++) {
        const int32_t *added = job->added + order[n] * all;
        for (int64_t row = 0; row < job->typical; row++) {
            const int64_t low = space->sums[row] + space->low[n], high = space->sums[row] + space->high[n];
            space->certain[row] -= decided(job, output, low, high, limit_of(space, row, k));
            space->sums[row] += added[row];
        }
    }
}

/* Rows stop at the first check where they are decided: ``passed`` becomes the number of those that go on, -1 where
   there is no check. */
static void walk(const Exits *job, Space *space, int64_t output, int32_t k, const int32_t *order, int32_t count,
                 int32_t *passed)
{
    const int64_t all = job->typical + job->rows;
    for (int64_t row = job->typical; row < all; row++) {
        space->sums[row] = job->bias[output];
        space->certain[row] = 0; /* whether the row has stopped */
    }
    for (int32_t n = 0; n <= count; n++) {
        if (n == count || passed[n] == 0) {
            int32_t left = 0;
            for (int64_t row = job->typical; row < all; row++) {
                const int64_t low = space->sums[row] + space->low[n], high = space->sums[row] + space->high[n];
                if (!space->certain[row] &&
                    (n == count || decided(job, output, low, high, limit_of(space, row, k)))) {
                    space->certain[row] = 1;
                    space->kept[row] = high;
                }
                left += !space->certain[row];
            }
            if (n < count) {
                passed[n] = left;
            }
        }
        const int32_t *added = n < count ? job->added + order[n] * all : NULL;
        for (int64_t row = job->typical; added && row < all; row++) {
            space->sums[row] += added[row];
        }
    }
    for (int64_t row = job->typical; row < all; row++) {
        take_better(job, space, row, output, k, space->kept[row]);
    }
}

/* The outputs of a tree, first those that win most of the typical rows. */
static void sequence_outputs(const Exits *job, Space *space, int32_t tree)
{
    const int64_t all = job->typical + job->rows, base = (int64_t)tree * job->outputs;
    for (int64_t row = 0; row < all; row++) {
        space->winner[row] = -1;
        space->least[row] = LOWEST;
    }
    for (int32_t k = 0; k < job->outputs; k++) {
        for (int64_t row = 0; row < job->typical; row++) {
            space->sums[row] = job->bias[base + k];
        }
        for (int32_t term = job->first_term[base + k]; term < job->first_term[base + k + 1]; term++) {
            for (int64_t row = 0; row < job->typical; row++) {
                space->sums[row] += job->added[term * all + row];
            }
        }
        for (int64_t row = 0; row < job->typical; row++) {
            take_better(job, space, row, base + k, k, space->sums[row]);
        }
        space->wins[k] = 0;
    }
    for (int64_t row = 0; row < job->typical; row++) {
        space->wins[space->winner[row]]++;
        space->winner[row] = -1;
        space->least[row] = LOWEST;
    }
    for (int32_t k = 0; k < job->outputs; k++) { /* a stable sort */
        int32_t place = k;
        for (; place > 0 && space->wins[space->sequence[place - 1]] < space->wins[k]; place--) {
            space->sequence[place] = space->sequence[place - 1];
        }
        space->sequence[place] = k;
    }
}

/* The last place of an output that reads each input of a tree, and what each costs. */
static void place_inputs(const Exits *job, Space *space, int32_t tree)
{
    const int64_t base = (int64_t)tree * job->outputs;
    for (int32_t i = job->first_input[tree]; i < job->first_input[tree + 1]; i++) {
        space->last_place[i] = job->ahead[i] = -1;
        space->known[i] = 0;
    }
    for (int32_t place = 0; place < job->outputs; place++) {
        const int64_t output = base + space->sequence[place];
        const int32_t end = job->first_read[job->first_term[output + 1]];
        for (int32_t i = job->first_read[job->first_term[output]]; i < end; i++) {
            space->last_place[job->read[i]] = place;
        }
    }
}

static void exit_of_tree(const Exits *job, Space *space, int32_t tree)
{
    const int64_t base = (int64_t)tree * job->outputs;
    int32_t slot = job->first_term[base];
    sequence_outputs(job, space, tree);
    place_inputs(job, space, tree);
    for (int32_t place = 0; place < job->outputs; place++) {
        const int32_t k = space->sequence[place];
        const int64_t output = base + k;
        const int32_t first = job->first_term[output], count = job->first_term[output + 1] - first;
        int32_t *order = job->order + slot, *passed = job->passed + slot;
        for (int32_t i = job->first_input[tree]; i < job->first_input[tree + 1]; i++) {
            const int paid = job->outputs > 1 && (space->known[i] || space->last_place[i] > place);
            space->free[i] = paid ? 0 : job->input_cost[i];
        }
        order_terms(job, space, first, count, order);
        sum_up(job, space, order, count);
        for (int32_t n = 0; n < count; n++) {
            passed[n] = -1;
        }
        count_typical(job, space, output, k, order, count);
        if (place || job->outputs == 1) {
            place_checks(job, space, count, passed);
        }
        for (int64_t row = 0; row < job->typical; row++) {
            take_better(job, space, row, output, k, space->sums[row]);
        }
        walk(job, space, output, k, order, count, passed);
        const int32_t end = job->first_read[job->first_term[output + 1]];
        for (int32_t i = job->first_read[job->first_term[output]]; i < end; i++) {
            const int32_t input = job->read[i];
            if (!space->known[input] && space->last_place[input] > place) {
                job->ahead[input] = place;
            }
            space->known[input] = 1;
        }
        job->part[base + place] = k;
        slot += count;
    }
}

int JOIN(nt_exits, NT_VARIANT)(Exits *job)
{
    const int bad = check_exits(job);
    if (bad) {
        return bad;
    }
    const size_t terms = (size_t)job->terms + 2, inputs = (size_t)job->inputs + 1, outputs = (size_t)job->outputs;
    const size_t rows = (size_t)(job->typical + job->rows) + 1;
    int64_t *wide = malloc(sizeof(int64_t) * (7 * terms + inputs + 3 * rows));
    int32_t *narrow = malloc(sizeof(int32_t) * (2 * inputs + 2 * rows + 2 * outputs));
    uint8_t *bytes = malloc(terms + inputs);
    int status = NT_MEMORY;
    if (wide && narrow && bytes) {
        int64_t *rest = wide + 7 * terms;
        int32_t *of_rows = narrow + 2 * inputs;
        Space space = {
            .key = (double *)wide,
            .costs = wide + terms,
            .running = wide + 2 * terms,
            .best = wide + 3 * terms,
            .next = wide + 4 * terms,
            .low = wide + 5 * terms,
            .high = wide + 6 * terms,
            .free = rest,
            .sums = rest + inputs,
            .least = rest + inputs + rows,
            .kept = rest + inputs + 2 * rows,
            .readers = narrow,
            .last_place = narrow + inputs,
            .winner = of_rows,
            .certain = of_rows + rows,
            .wins = of_rows + 2 * rows,
            .sequence = of_rows + 2 * rows + outputs,
            .done = bytes,
            .known = bytes + terms,
        };
        for (int32_t tree = 0; tree < job->trees && !*job->stop; tree++) {
            exit_of_tree(job, &space, tree);
        }
        status = *job->stop ? NT_STOPPED : NT_DONE;
    }
    free(wide);
    free(narrow);
    free(bytes);
    return status;
}
