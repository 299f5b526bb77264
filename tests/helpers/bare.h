/* What the kernel and its driver need of a C library, for Linux: building a real one for an emulated processor takes
   minutes. Memory is given out once and taken back when a job is done. */

#include <stddef.h>

#if defined(__aarch64__)
enum { READ = 63, WRITE = 64, EXIT = 93 };
static long call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#else
enum { READ = 0, WRITE = 1, EXIT = 60 };
static long call(long number, long a, long b, long c)
{
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return number;
}
#endif

static _Alignas(64) char heap[1 << 24];
static size_t used;

static long read(int file, void *to, size_t bytes) { return call(READ, file, (long)to, (long)bytes); }
static long write(int file, const void *from, size_t bytes) { return call(WRITE, file, (long)from, (long)bytes); }
_Noreturn static void leave(int status)
{
    for (;;) {
        call(EXIT, status, 0, 0);
    }
}

void *malloc(size_t bytes)
{
    void *found = heap + used;
    used += (bytes + 63) / 64 * 64;
    return used <= sizeof heap ? found : NULL;
}
void free(void *memory) { (void)memory; }
static void free_all(void) { used = 0; }

/* Loops that the compiler must not turn into calls of themselves. */
void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        ((volatile char *)to)[i] = ((const char *)from)[i];
    }
    return to;
}
void *memset(void *to, int value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        ((volatile char *)to)[i] = (char)value;
    }
    return to;
}
void *calloc(size_t count, size_t bytes)
{
    void *found = malloc(count * bytes);
    return found ? memset(found, 0, count * bytes) : NULL;
}

int main(void);
_Noreturn void begin(void) { leave(main()); }
#if defined(__aarch64__)
__asm__(".globl _start\n_start: mov x29, 0\n bl begin\n");
#else
__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call begin\n");
#endif
