/* Vectors of 64 bytes on a processor without AVX-512: included before the kernel, it takes the kernel's way for AVX-512
   with each of its instructions done in two halves. */

#include <immintrin.h>

#define __AVX512F__ 1
#define HALVES static inline __attribute__((always_inline))

typedef union {
    __m512 singles;
    __m512d doubles;
    __m256 single[2];
    __m256d two[2];
} Wide;

HALVES __m512 wide_fmadd_ps(__m512 a, __m512 b, __m512 c)
{
    Wide x = {.singles = a}, y = {.singles = b}, z = {.singles = c};
    for (int i = 0; i < 2; i++) {
        z.single[i] = _mm256_fmadd_ps(x.single[i], y.single[i], z.single[i]);
    }
    return z.singles;
}

HALVES __m512d wide_fmadd_pd(__m512d a, __m512d b, __m512d c)
{
    Wide x = {.doubles = a}, y = {.doubles = b}, z = {.doubles = c};
    for (int i = 0; i < 2; i++) {
        z.two[i] = _mm256_fmadd_pd(x.two[i], y.two[i], z.two[i]);
    }
    return z.doubles;
}

HALVES __m256 wide_low(__m512 a)
{
    Wide x = {.singles = a};
    return x.single[0];
}

HALVES __m256d wide_part(__m512d a, int i)
{
    Wide x = {.doubles = a};
    return x.two[i];
}

#undef _mm512_fmadd_ps
#undef _mm512_fmadd_pd
#undef _mm512_castps512_ps256
#undef _mm512_extractf64x4_pd
#define _mm512_fmadd_ps wide_fmadd_ps
#define _mm512_fmadd_pd wide_fmadd_pd
#define _mm512_castps512_ps256 wide_low
#define _mm512_extractf64x4_pd wide_part
