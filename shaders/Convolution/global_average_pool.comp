#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// y[b, c] = mean of x[c, b, :], one subgroup a plane
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; };
layout(binding = 0) readonly buffer X { float x[]; };   // [channels, batch, pixels]
layout(binding = 1) writeonly buffer Y { float y[]; };  // [batch, channels]

void main()
{
    uint row = rowIndex();
    if (row >= channels * batch)
        return;
    float sum = 0;
    FOR_EACH_COLUMN(i, pixels)
        sum += x[row * pixels + i];
    sum = subgroupAdd(sum);
    if (subgroupElect())
        y[row % batch * channels + row / batch] = sum / pixels;
}
