#version 460
#extension GL_GOOGLE_include_directive : require
#include "flat.glsl"
// y = 1 / (1 + exp(-x)); exp overflows to infinity, whose inverse is the right 0
layout(push_constant) uniform Push { uint count; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) writeonly buffer Y { float y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        y[i] = 1 / (1 + exp(-x[i]));
}
