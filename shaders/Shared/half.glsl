// binary16 and bfloat16 as the lower 16 bits of a word, in integer arithmetic: packHalf2x16 may round as the device likes, this
// rounds to nearest even everywhere, keeps NaNs and infinities, and needs no 16-bit storage.

uint encodeF16(float value)
{
    uint bits = floatBitsToUint(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u)  // NaN, made quiet
        return sign | 0x7E00u | magnitude >> 13 & 0x1FFu;
    if (magnitude >= 0x477FF000u)  // 65,520 and more round to infinity
        return sign | 0x7C00u;
    if (magnitude >= 0x38800000u)  // normal: rebias the exponent by 127 - 15, and round what is shifted out
        return sign | (magnitude - 0x38000000u + 0xFFFu + (magnitude >> 13 & 1u)) >> 13;
    if (magnitude <= 0x33000000u)  // 2^-25 and less round to zero
        return sign;
    uint shift = 126u - (magnitude >> 23);  // subnormal: units of 2^-24
    uint mantissa = magnitude & 0x7FFFFFu | 0x800000u;
    uint low = mantissa >> shift;
    return sign | (mantissa + (1u << shift - 1u) - 1u + (low & 1u)) >> shift;
}

float decodeF16(uint bits)
{
    uint sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7FFFu;
    if (magnitude >= 0x7C00u)
        return uintBitsToFloat(sign | 0x7F800000u | (magnitude & 0x3FFu) << 13);
    if (magnitude >= 0x400u)
        return uintBitsToFloat(sign | (magnitude << 13) + 0x38000000u);
    float value = float(magnitude) * (1.0 / 16777216.0);
    return uintBitsToFloat(sign | floatBitsToUint(value));
}

uint encodeBF16(float value)
{
    uint bits = floatBitsToUint(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u)  // NaN, made quiet: rounding could turn it into an infinity
        return bits >> 16 | 0x40u;
    return bits + 0x7FFFu + (bits >> 16 & 1u) >> 16;
}

float decodeBF16(uint bits) { return uintBitsToFloat(bits << 16); }

vec4 decodeBF16(uvec4 bits) { return uintBitsToFloat(bits << 16); }
uvec4 encodeBF16(vec4 value) { return uvec4(encodeBF16(value.x), encodeBF16(value.y), encodeBF16(value.z), encodeBF16(value.w)); }
