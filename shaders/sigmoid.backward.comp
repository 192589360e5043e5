#version 460
#extension GL_GOOGLE_include_directive : require
#include "flat.glsl"
// dx = dy * y * (1 - y)
layout(push_constant) uniform Push { uint count; uint accumulate; };
layout(binding = 0) readonly buffer Y { float y[]; };
layout(binding = 1) readonly buffer Dy { float dy[]; };
layout(binding = 2) buffer Dx { float dx[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        float value = dy[i] * y[i] * (1 - y[i]);
        dx[i] = accumulate != 0 ? dx[i] + value : value;
    }
}
