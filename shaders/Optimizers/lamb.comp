#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/step_state.glsl"
#include "lamb.glsl"
// p -= lr * trust * u
layout(push_constant) uniform Push { uint count; uint firstGranule; uint flags; float epsilon; float weightDecay; };
layout(binding = 0) buffer Parameters { float parameters[]; };
layout(binding = 1) readonly buffer FirstMoment { float firstMoment[]; };
layout(binding = 2) readonly buffer SecondMoment { float secondMoment[]; };
layout(binding = 3) readonly buffer Trust { float trust[]; };                  // one for a parameter
layout(binding = 4) readonly buffer Segments { uint segments[]; };             // the parameter of 64 elements, of the whole range
layout(binding = 5) readonly buffer Decay { float decay[]; };                  // one for 64 elements, of the whole range
STEP_STATE(6);
layout(binding = 7) readonly buffer Apply { float apply[]; };                  // [1], read when conditional
layout(binding = 8) readonly buffer Rates { float rates[]; };                  // one for 64 elements, of the whole range, read when layered

void main()
{
    if ((flags & CONDITIONAL) != 0 && apply[0] == 0)
        return;
    FOR_EACH_ELEMENT(i, count)
    {
        uint granule = firstGranule + i / GRANULE;
        float rate = stepState.learningRate;
        if ((flags & LAYERED) != 0)
            rate *= rates[granule];
        float p = parameters[i];
        float u = direction(p, firstMoment[i], secondMoment[i], stepState.biasCorrection1, stepState.biasCorrection2Sqrt, epsilon, weightDecay * decay[granule]);
        parameters[i] = p - rate * trust[segments[granule]] * u;
    }
}
