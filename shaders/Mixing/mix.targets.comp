#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/mix_state.glsl"
// y[b, c] = lambda * t[b, c] + (1 - lambda) * t[B - 1 - b, c]
layout(push_constant) uniform Push { uint count; uint batch; uint classes; };
layout(binding = 0) readonly buffer Targets { float targets[]; };  // [B, C]
layout(binding = 1) readonly buffer State { MixState state; };
layout(binding = 2) writeonly buffer Y { float y[]; };             // [B, C]

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        uint row = i / classes, column = i - row * classes;
        y[i] = state.targetLambda * targets[i] + (1.0 - state.targetLambda) * targets[(batch - 1 - row) * classes + column];
    }
}
