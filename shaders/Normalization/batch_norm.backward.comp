#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// dx = weight * rstd * (dy - mean(dy) - xhat * mean(dy * xhat)), the means only when the statistics are the batch's own; one subgroup a plane
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; uint ownStatistics; uint accumulate; };
layout(binding = 0) readonly buffer X { float x[]; };                     // [channels, batch, pixels]
layout(binding = 1) readonly buffer Statistics { vec2 statistics[]; };    // [channels] mean, rstd
layout(binding = 2) readonly buffer Weight { float weight[]; };           // [channels]
layout(binding = 3) readonly buffer WeightSums { float weightSums[]; };   // [channels] sum of dy * xhat, read with own statistics
layout(binding = 4) readonly buffer BiasSums { float biasSums[]; };       // [channels] sum of dy, read with own statistics
layout(binding = 5) readonly buffer Dy { float dy[]; };                   // [channels, batch, pixels]
layout(binding = 6) buffer Dx { float dx[]; };                            // [channels, batch, pixels]

void main()
{
    uint row = rowIndex();
    if (row >= channels * batch)
        return;
    uint channel = row / batch;
    vec2 meanRstd = statistics[channel];
    float factor = meanRstd.y * weight[channel], meanDy = 0, slope = 0, count = float(batch) * pixels;
    if (ownStatistics != 0)
    {
        meanDy = biasSums[channel] / count;
        slope = weightSums[channel] / count * meanRstd.y;
    }
    FOR_EACH_COLUMN(i, pixels)
    {
        float value = factor * (dy[row * pixels + i] - meanDy - (x[row * pixels + i] - meanRstd.x) * slope);
        dx[row * pixels + i] = accumulate != 0 ? dx[row * pixels + i] + value : value;
    }
}
