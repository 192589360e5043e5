#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/elementwise_layout.glsl"
// y = max(x, 0); a NaN stays one
layout(push_constant) uniform Push { uint count; };
layout(binding = 0) readonly buffer X { ELEMENT x[]; };
layout(binding = 1) writeonly buffer Y { ELEMENT y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        y[i] = STORE(LOAD(x[i]) < 0 ? 0 : LOAD(x[i]));
}
