#version 460
#extension GL_GOOGLE_include_directive : require
//! variant address -DBY_ADDRESS
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/step_state.glsl"
// p *= 1 - lr * weightDecay * decay; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr / c1 * m / (sqrt(v) / sqrt(c2) + epsilon)
layout(push_constant) uniform Push
{
    uint count; uint firstGranule; uint flags;
    float beta1; float oneMinusBeta1; float beta2; float oneMinusBeta2; float epsilon; float weightDecay;
#ifdef BY_ADDRESS
    uint64_t parametersAddress, gradientsAddress, firstMomentAddress, secondMomentAddress;
#endif
};
layout(binding = 0) readonly buffer Decay { float decay[]; };                  // one for 64 parameters, of the whole range
STEP_STATE(1);
layout(binding = 2) readonly buffer GradientScale { float gradientScale[]; };  // [1], read when clipped
layout(binding = 3) readonly buffer Apply { float apply[]; };                  // [1], read when conditional
layout(binding = 4) readonly buffer Rates { float rates[]; };                  // one for 64 parameters, of the whole range, read when layered
#ifndef BY_ADDRESS
layout(binding = 5) buffer Parameters { float parameters[]; };
layout(binding = 6) readonly buffer Gradients { float gradients[]; };
layout(binding = 7) buffer FirstMoment { float firstMoment[]; };
layout(binding = 8) buffer SecondMoment { float secondMoment[]; };
#endif

const uint CLIPPED = 1, CONDITIONAL = 2, LAYERED = 4;

void main()
{
    if ((flags & CONDITIONAL) != 0 && apply[0] == 0)
        return;
    float factor = (flags & CLIPPED) != 0 ? gradientScale[0] : 1;
    FOR_EACH_ELEMENT(i, count)
    {
        uint granule = firstGranule + SHARED_BY_LANES(i) / 64;
        float rate = stepState.learningRate;
        if ((flags & LAYERED) != 0)
            rate *= rates[granule];
        float g = OWN(gradients, i) * factor;
        float m = beta1 * OWN(firstMoment, i) + oneMinusBeta1 * g;
        float v = beta2 * OWN(secondMoment, i) + oneMinusBeta2 * g * g;
        STORE_OWN(firstMoment, i, m);
        STORE_OWN(secondMoment, i, v);
        float p = OWN(parameters, i) * (1 - rate * weightDecay * decay[granule]);
        STORE_OWN(parameters, i, p - rate / stepState.biasCorrection1 * m / (sqrt(v) / stepState.biasCorrection2Sqrt + epsilon));
    }
}
