/* Runs the jobs of its standard input and writes what became of their arrays; kernel_jobs.py holds the format.

   Every array has memory of its own, of just its size, so that a sanitizer sees an access outside. */

#ifdef BARE
#include "bare.h"
#else
#include <stdlib.h>
#include <unistd.h>
#define leave exit
static void free_all(void) {}
#endif
#include <string.h>

#include "kernel.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define EACH(X) X(train) X(predict) X(slopes) X(pullback)
#define DECLARE(name) int JOIN(nt_##name##_f32, NT_VARIANT)(Job *), JOIN(nt_##name##_f64, NT_VARIANT)(Job *);
#define LIST(name) JOIN(nt_##name##_f32, NT_VARIANT), JOIN(nt_##name##_f64, NT_VARIANT),
#define MOST_ARRAYS 32

EACH(DECLARE)

static int run(int64_t function, Job *job)
{
    int (*const functions[])(Job *) = {EACH(LIST)};
    return functions[function](job);
}

/* Whether all bytes came; ends the program in the middle of them. */
static int take(void *to, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        const long got = read(0, (char *)to + done, bytes - done);
        if (got <= 0 && done == 0) {
            return 0;
        }
        if (got <= 0) {
            leave(3);
        }
        done += (size_t)got;
    }
    return 1;
}

static void give(const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const long gone = write(1, (const char *)from + done, bytes - done);
        if (gone <= 0) {
            leave(4);
        }
        done += (size_t)gone;
    }
}

int main(void)
{
    int64_t head[3]; /* the function, the size of a job, the number of arrays */
    while (take(head, sizeof head)) {
        Job job;
        void *arrays[MOST_ARRAYS];
        int64_t places[MOST_ARRAYS][2]; /* where in the job the pointer stands, and the bytes of the array */
        if (head[1] != sizeof job || head[2] > MOST_ARRAYS || !take(&job, sizeof job)) {
            return 5;
        }
        for (int64_t i = 0; i < head[2]; i++) {
            take(places[i], sizeof places[i]);
            arrays[i] = malloc((size_t)places[i][1]);
            take(arrays[i], (size_t)places[i][1]);
            memcpy((char *)&job + places[i][0], &arrays[i], sizeof(void *));
        }
        const int64_t status = run(head[0], &job);
        give(&status, sizeof status);
        for (int64_t i = 0; i < head[2]; i++) {
            give(arrays[i], (size_t)places[i][1]);
            free(arrays[i]);
        }
        free_all();
    }
    return 0;
}
