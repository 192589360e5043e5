#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// y = (x - mean) * rstd * weight + bias, one subgroup a plane. In this order: rstd * weight as one factor would round all of a channel
// to one side, and ten layers on that decides ReLUs.
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; };
layout(binding = 0) readonly buffer X { float x[]; };                   // [channels, batch, pixels]
layout(binding = 1) readonly buffer Statistics { vec2 statistics[]; };  // [channels] mean, rstd
layout(binding = 2) readonly buffer Weight { float weight[]; };         // [channels]
layout(binding = 3) readonly buffer Bias { float bias[]; };             // [channels]
layout(binding = 4) writeonly buffer Y { float y[]; };                  // [channels, batch, pixels]

void main()
{
    uint row = rowIndex();
    if (row >= channels * batch)
        return;
    uint channel = row / batch;
    vec2 meanRstd = statistics[channel];
    float scale = weight[channel], offset = bias[channel];
    FOR_EACH_COLUMN(i, pixels)
        y[row * pixels + i] = (x[row * pixels + i] - meanRstd.x) * meanRstd.y * scale + offset;
}
