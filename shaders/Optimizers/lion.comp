#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/step_state.glsl"
// p *= 1 - lr * weightDecay * decay; p -= lr * sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g
layout(push_constant) uniform Push
{
    uint count; uint firstGranule; uint flags;
    float beta1; float oneMinusBeta1; float beta2; float oneMinusBeta2; float weightDecay;
};
layout(binding = 0) buffer Parameters { float parameters[]; };
layout(binding = 1) readonly buffer Gradients { float gradients[]; };
layout(binding = 2) buffer Momentum { float momentum[]; };
layout(binding = 3) readonly buffer Decay { float decay[]; };                  // one for 64 parameters, of the whole range
STEP_STATE(4);
layout(binding = 5) readonly buffer GradientScale { float gradientScale[]; };  // [1], read when clipped
layout(binding = 6) readonly buffer Apply { float apply[]; };                  // [1], read when conditional
layout(binding = 7) readonly buffer Rates { float rates[]; };                  // one for 64 parameters, of the whole range, read when layered

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
        float g = gradients[i] * factor, m = momentum[i];
        float direction = sign(beta1 * m + oneMinusBeta1 * g);
        momentum[i] = beta2 * m + oneMinusBeta2 * g;
        parameters[i] = parameters[i] * (1 - rate * weightDecay * decay[granule]) - rate * direction;
    }
}
