#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/step_state.glsl"
// g += weightDecay * decay * p; b = momentum * b + g; p -= lr * (nesterov ? g + momentum * b : b)
layout(push_constant) uniform Push { uint count; uint firstGranule; uint flags; float momentum; float weightDecay; uint nesterov; };
layout(binding = 0) buffer Parameters { float parameters[]; };
layout(binding = 1) readonly buffer Gradients { float gradients[]; };
layout(binding = 2) buffer Direction { float direction[]; };
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
        float p = parameters[i];
        float g = gradients[i] * factor + weightDecay * decay[granule] * p;
        float b = momentum * direction[i] + g;
        direction[i] = b;
        parameters[i] = p - rate * (nesterov != 0 ? g + momentum * b : b);
    }
}
