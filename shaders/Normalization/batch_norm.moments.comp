#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// Mean and sum of squared deviations of each plane x[c, b, :], one subgroup a plane. batch_norm.statistics joins a channel's planes.
layout(push_constant) uniform Push { uint planes; uint pixels; };
layout(binding = 0) readonly buffer X { float x[]; };              // [planes, pixels]
layout(binding = 1) writeonly buffer Moments { vec2 moments[]; };  // [planes] mean, sum of squared deviations

void main()
{
    uint row = rowIndex();
    if (row >= planes)
        return;
    float sum = 0;
    FOR_EACH_COLUMN(i, pixels)
        sum += x[row * pixels + i];
    float mean = subgroupAdd(sum) / pixels;
    // The second pass over the plane avoids the cancellation of E[x^2] - E[x]^2.
    float squares = 0;
    FOR_EACH_COLUMN(i, pixels)
    {
        float centred = x[row * pixels + i] - mean;
        squares += centred * centred;
    }
    squares = subgroupAdd(squares);
    if (subgroupElect())
        moments[row] = vec2(mean, squares);
}
