#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/elementwise_layout.glsl"
// dx = dy where y > 0, and 0 elsewhere
layout(push_constant) uniform Push { uint count; uint accumulate; };
layout(binding = 0) readonly buffer Y { ELEMENT y[]; };
layout(binding = 1) readonly buffer Dy { ELEMENT dy[]; };
layout(binding = 2) buffer Dx { ELEMENT dx[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        float value = LOAD(y[i]) > 0 ? LOAD(dy[i]) : 0;
        dx[i] = STORE(accumulate != 0 ? LOAD(dx[i]) + value : value);
    }
}
