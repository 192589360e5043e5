#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
#include "../Shared/step_state.glsl"
#include "lamb.glsl"
// m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; squares[granule] = (sum p^2, sum u^2). A subgroup owns a granule of 64 parameters.
layout(push_constant) uniform Push
{
    uint count; uint firstGranule; uint flags;
    float beta1; float oneMinusBeta1; float beta2; float oneMinusBeta2; float epsilon; float weightDecay;
};
layout(binding = 0) readonly buffer Parameters { float parameters[]; };
layout(binding = 1) readonly buffer Gradients { float gradients[]; };
layout(binding = 2) buffer FirstMoment { float firstMoment[]; };
layout(binding = 3) buffer SecondMoment { float secondMoment[]; };
layout(binding = 4) writeonly buffer Squares { vec2 squares[]; };              // one for 64 parameters, of the whole range
layout(binding = 5) readonly buffer Decay { float decay[]; };                  // one for 64 parameters, of the whole range
STEP_STATE(6);
layout(binding = 7) readonly buffer GradientScale { float gradientScale[]; };  // [1], read when clipped
layout(binding = 8) readonly buffer Apply { float apply[]; };                  // [1], read when conditional

void main()
{
    uint granule = rowIndex(), start = granule * GRANULE;
    if (start >= count || (flags & CONDITIONAL) != 0 && apply[0] == 0)
        return;
    float factor = (flags & CLIPPED) != 0 ? gradientScale[0] : 1;
    vec2 sums = vec2(0);
    FOR_EACH_COLUMN(column, min(GRANULE, count - start))
    {
        uint i = start + column;
        float g = gradients[i] * factor, p = parameters[i];
        float m = beta1 * firstMoment[i] + oneMinusBeta1 * g;
        float v = beta2 * secondMoment[i] + oneMinusBeta2 * g * g;
        firstMoment[i] = m;
        secondMoment[i] = v;
        float u = direction(p, m, v, stepState.biasCorrection1, stepState.biasCorrection2Sqrt, epsilon, weightDecay * decay[firstGranule + granule]);
        sums += vec2(p * p, u * u);
    }
    sums = subgroupAdd(sums);
    if (subgroupElect())
        squares[firstGranule + granule] = sums;
}
