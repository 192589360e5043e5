#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/philox.glsl"
#include "../Shared/step_state.glsl"
// scale[b] = u[b] >= rate ? 1 / (1 - rate) : 0, u the first word of the generator at (element, step, site)
layout(push_constant) uniform Push { uint count; uint site; float rate; float kept; };
STEP_STATE(0);
layout(binding = 1) writeonly buffer Scale { float scale[]; };  // [B]

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        uvec4 words = philox(uvec4(i, 0, stepState.step, site), uvec2(stepState.seedLow, stepState.seedHigh));
        scale[i] = uniformFloat(words.x) >= rate ? kept : 0;
    }
}
