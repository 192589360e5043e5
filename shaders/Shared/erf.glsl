// GELU by the exact normal distribution, and its derivative, to about 5e-7 of each value down to the underflow at x = -13.
// The polynomials say fma, since a CPU driver multiplies and adds apart otherwise.
//
// With a = |x| and the upper tail Q(a) = erfc(a / sqrt(2)) / 2:  gelu(x) = x * Phi(x) = max(x, 0) - a * Q(a), which cancels nowhere.
// Q(a) = exp(-a^2 / 2) * T(1 / (1 + a / 4)), T a polynomial of degree 9 fitted to the least relative error by the Remez algorithm
// on 0 <= a <= 13.2 against a double-precision erfc: 1.1e-8 before rounding.

const float GELU_TAIL_END = 13.2;  // beyond it a * Q(a) is below the smallest normal number
const float INVERSE_SQRT_TWO_PI = 0.398942280;

// exp(-a^2 / 2) for 0 <= a <= 13.2 to 1.2e-7. The built-in exp may be off by 2 |argument| ulp, and rounding a^2 alone costs as much:
// a is split so that the square of its high part is exact, and ln 2 likewise (Cody and Waite). The polynomial is a Remez fit of
// exp(-r), |r| <= ln(2) / 2, with a relative error of 2e-9. Added to ROUNDING, a number is rounded to a whole one, which the last bits of
// the sum show: CPU drivers convert numbers to whole ones lane by lane.
const float ROUNDING = 12582912.0;  // 1.5 * 2^23
float gaussian(float a)
{
    float high = uintBitsToFloat(floatBitsToUint(a) & 0xFFFFF000u);
    precise float square = 0.5 * high * high;
    precise float rest = 0.5 * (a - high) * (a + high);
    precise float shifted = fma(square + rest, 1.44269504, ROUNDING);
    precise float n = shifted - ROUNDING;
    precise float r = ((square - n * 0.693359375) + n * 2.12194440e-4) + rest;
    float p = 0.00138365373;
    p = fma(p, r, -0.00837506074);
    p = fma(p, r, 0.0416682437);
    p = fma(p, r, -0.166664168);
    p = fma(p, r, 0.499999911);
    p = fma(p, r, -1.0);
    p = fma(p, r, 1.0);
    return p * uintBitsToFloat((127u + floatBitsToUint(ROUNDING) - floatBitsToUint(shifted)) << 23);
}

// Q(a) / exp(-a^2 / 2)
float scaledTail(float a)
{
    float t = 1.0 / (1.0 + 0.25 * a);
    float p = 0.0347996317;
    p = fma(p, t, -0.200791925);
    p = fma(p, t, 0.405826569);
    p = fma(p, t, -0.347897679);
    p = fma(p, t, 0.316510290);
    p = fma(p, t, -0.0268709492);
    p = fma(p, t, 0.123831049);
    p = fma(p, t, 0.0943284184);
    p = fma(p, t, 0.100289375);
    return fma(p, t, -2.47895623e-05);
}

// x * Phi(x)
float gelu(float x)
{
    float a = abs(x);
    return max(x, 0.0) - (a > GELU_TAIL_END ? 0.0 : a * scaledTail(a) * gaussian(a));
}

// Phi(x) + x * phi(x)
float geluDerivative(float x)
{
    float a = abs(x);
    float tail = a > GELU_TAIL_END ? 0.0 : (scaledTail(a) - a * INVERSE_SQRT_TWO_PI) * gaussian(a);
    return x < 0.0 ? tail : 1.0 - tail;
}
