#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
// y[i] (+)= factor * x[i]
layout(push_constant) uniform Push { uint count; float factor; uint accumulate; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) buffer Y { float y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        y[i] = accumulate != 0 ? y[i] + factor * x[i] : factor * x[i];
}
