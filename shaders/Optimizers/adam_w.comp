#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/step_state.glsl"
// p *= 1 - lr * weightDecay * decay; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr / c1 * m / (sqrt(v) / sqrt(c2) + epsilon)
layout(push_constant) uniform Push
{
    uint count; uint firstGranule; uint flags;
    float beta1; float oneMinusBeta1; float beta2; float oneMinusBeta2; float epsilon; float weightDecay;
};
layout(binding = 0) buffer Parameters { float parameters[]; };
layout(binding = 1) readonly buffer Gradients { float gradients[]; };
layout(binding = 2) buffer FirstMoment { float firstMoment[]; };
layout(binding = 3) buffer SecondMoment { float secondMoment[]; };
layout(binding = 4) readonly buffer Decay { float decay[]; };                  // one for 64 parameters, of the whole range
STEP_STATE(5);
layout(binding = 6) readonly buffer GradientScale { float gradientScale[]; };  // [1], read when clipped
layout(binding = 7) readonly buffer Apply { float apply[]; };                  // [1], read when conditional
layout(binding = 8) readonly buffer Rates { float rates[]; };                  // one for 64 parameters, of the whole range, read when layered

const uint CLIPPED = 1, CONDITIONAL = 2, LAYERED = 4;

void main()
{
    if ((flags & CONDITIONAL) != 0 && apply[0] == 0)
        return;
    float factor = (flags & CLIPPED) != 0 ? gradientScale[0] : 1;
    FOR_EACH_ELEMENT(i, count)
    {
        uint granule = firstGranule + i / 64;
        float rate = stepState.learningRate;
        if ((flags & LAYERED) != 0)
            rate *= rates[granule];
        float g = gradients[i] * factor;
        float m = beta1 * firstMoment[i] + oneMinusBeta1 * g;
        float v = beta2 * secondMoment[i] + oneMinusBeta2 * g * g;
        firstMoment[i] = m;
        secondMoment[i] = v;
        float p = parameters[i] * (1 - rate * weightDecay * decay[granule]);
        parameters[i] = p - rate / stepState.biasCorrection1 * m / (sqrt(v) / stepState.biasCorrection2Sqrt + epsilon);
    }
}
