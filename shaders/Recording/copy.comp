#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
// y[i] = x[i], as 32-bit words of any type
layout(push_constant) uniform Push { uint count; };
layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) writeonly buffer Y { uint y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        y[i] = x[i];
}
