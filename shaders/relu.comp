#version 460
#extension GL_GOOGLE_include_directive : require
#include "flat.glsl"
// y = max(x, 0); a NaN stays one
layout(push_constant) uniform Push { uint count; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) writeonly buffer Y { float y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        y[i] = x[i] < 0 ? 0 : x[i];
}
