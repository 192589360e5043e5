#version 460
#extension GL_GOOGLE_include_directive : require
//! variants only
//! variant f16_from_f32 -DENCODE=encodeF16
//! variant bf16_from_f32 -DENCODE=encodeBF16
//! variant f32_from_f16 -DDECODE=decodeF16
//! variant f32_from_bf16 -DDECODE=decodeBF16
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/half.glsl"
// An invocation takes two elements: one word of the 16-bit tensor, whose last word may be half used.
layout(push_constant) uniform Push { uint count; };
#ifdef ENCODE
layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) writeonly buffer Y { uint y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, (count + 1) / 2)
    {
        uint low = ENCODE(uintBitsToFloat(x[2 * i]));
        uint high = 2 * i + 1 < count ? ENCODE(uintBitsToFloat(x[2 * i + 1])) : 0;
        y[i] = low | high << 16;
    }
}
#else
layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) writeonly buffer Y { uint y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, (count + 1) / 2)
    {
        uint word = x[i];
        y[2 * i] = floatBitsToUint(DECODE(word & 0xFFFFu));
        if (2 * i + 1 < count)
            y[2 * i + 1] = floatBitsToUint(DECODE(word >> 16));
    }
}
#endif
