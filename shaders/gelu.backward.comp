#version 460
#extension GL_GOOGLE_include_directive : require
#include "flat.glsl"
#include "erf.glsl"
// dx = dy * (Phi(x) + x * phi(x))
layout(push_constant) uniform Push { uint count; uint accumulate; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Dy { float dy[]; };
layout(binding = 2) buffer Dx { float dx[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        float value = dy[i] * geluDerivative(x[i]);
        dx[i] = accumulate != 0 ? dx[i] + value : value;
    }
}
