// A float as a sum of two numbers of 16 bits: the rounded value, and what rounding left of it. Of the four products of two such sums
// the smallest is left out: a b = a_high b_high + a_high b_low + a_low b_high. With u the largest relative rounding error of the type,
// 2^-8 of bfloat16 and 2^-11 of binary16, a low part is at most u of its float, so that a_low b_low is at most u^2 of the product.
const uint PARTS = 2, HIGH = 0, LOW = 1;
const uint WORDS = 2;  // uvec4 of eight factors in memory

// Two floats to the words of their high and of their low parts. Each slab passes here, beside matrix units that are many times faster
// than ordinary ones: hence so few operations.
uvec2 splitTwo(vec2 two)
{
#ifdef SPLIT_BF16
    // The low parts are cut, not rounded, which is up to 2 u^2 of the float. Infinity, and NaN where its bits overflow, are NaN there.
    uvec2 high = floatBitsToUint(two) + 0x8000u & 0xFFFF0000u;
    uvec2 low = floatBitsToUint(two - uintBitsToFloat(high)) & 0xFFFF0000u;
    return uvec2(high.x >> 16 | high.y, low.x >> 16 | low.y);
#else
    // binary16 ends at 65,504, beyond which the result must not look like one; its steps are never below 2^-24, so that a low part is
    // off by up to u^2 of the float or by 2^-25.
    two = mix(two, uintBitsToFloat(uvec2(0x7FC00000u)), greaterThan(abs(two), vec2(65504)));
    uint high = packHalf2x16(two);
    return uvec2(high, packHalf2x16(two - unpackHalf2x16(high)));
#endif
}

// Eight floats to eight high and eight low parts.
uvec4[PARTS] split(uvec4 factors[WORDS])
{
    uvec2 a = splitTwo(uintBitsToFloat(factors[0].xy)), b = splitTwo(uintBitsToFloat(factors[0].zw));
    uvec2 c = splitTwo(uintBitsToFloat(factors[1].xy)), d = splitTwo(uintBitsToFloat(factors[1].zw));
    return uvec4[PARTS](uvec4(a.x, b.x, c.x, d.x), uvec4(a.y, b.y, c.y, d.y));
}
