#version 460
#extension GL_GOOGLE_include_directive : require
//! variant address -DBY_ADDRESS
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/step_state.glsl"
// e = decay * e + (1 - decay) * p, as e + (1 - decay) * (p - e): 1 - decay is small and keeps its digits, and e = p stays put.
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t averageAddress, parametersAddress;
#else
#define ADDRESSES
layout(binding = 1) buffer Average { float average[]; };
layout(binding = 2) readonly buffer Parameters { float parameters[]; };
#endif
layout(push_constant) uniform Push { uint count; ADDRESSES };
STEP_STATE(0);

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        float before = OWN(average, i);
        STORE_OWN(average, i, before + stepState.oneMinusEmaDecay * (OWN(parameters, i) - before));
    }
}
