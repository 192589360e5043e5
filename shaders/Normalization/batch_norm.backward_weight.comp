#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// Sums of dy * xhat and of dy over each plane, one subgroup a plane. column_sum adds a channel's planes up.
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; };
layout(binding = 0) readonly buffer X { float x[]; };                     // [channels, batch, pixels]
layout(binding = 1) readonly buffer Statistics { vec2 statistics[]; };    // [channels] mean, rstd
layout(binding = 2) readonly buffer Dy { float dy[]; };                   // [channels, batch, pixels]
layout(binding = 3) writeonly buffer WeightSums { float weightSums[]; };  // [batch, channels]
layout(binding = 4) writeonly buffer BiasSums { float biasSums[]; };      // [batch, channels]

void main()
{
    uint row = rowIndex();
    if (row >= channels * batch)
        return;
    uint channel = row / batch;
    vec2 meanRstd = statistics[channel];
    float weightSum = 0, biasSum = 0;
    FOR_EACH_COLUMN(i, pixels)
    {
        float gradient = dy[row * pixels + i];
        weightSum += gradient * (x[row * pixels + i] - meanRstd.x);
        biasSum += gradient;
    }
    weightSum = subgroupAdd(weightSum) * meanRstd.y;
    biasSum = subgroupAdd(biasSum);
    if (subgroupElect())
    {
        weightSums[row % batch * channels + channel] = weightSum;
        biasSums[row % batch * channels + channel] = biasSum;
    }
}
