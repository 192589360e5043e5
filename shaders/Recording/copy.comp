#version 460
#extension GL_GOOGLE_include_directive : require
//! variant address -DBY_ADDRESS
#include "../Shared/elementwise_layout.glsl"
// y[i] = x[i], as 32-bit words of any type
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t xAddress, yAddress;
#else
#define ADDRESSES
layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) writeonly buffer Y { uint y[]; };
#endif
layout(push_constant) uniform Push { uint count; ADDRESSES };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        STORE_OWN(y, i, OWN(x, i));
}
