#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/step_state.glsl"
// e = decay * e + (1 - decay) * p, as e + (1 - decay) * (p - e): 1 - decay is small and keeps its digits, and e = p stays put.
layout(push_constant) uniform Push { uint count; };
layout(binding = 0) buffer Average { float average[]; };
layout(binding = 1) readonly buffer Parameters { float parameters[]; };
STEP_STATE(2);

void main()
{
    FOR_EACH_ELEMENT(i, count)
        average[i] += stepState.oneMinusEmaDecay * (parameters[i] - average[i]);
}
