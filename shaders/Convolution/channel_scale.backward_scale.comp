#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// dscale[b, c] = sum of dy[c, b, :] * x[c, b, :], one subgroup a plane
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; uint accumulate; };
layout(binding = 0) readonly buffer X { float x[]; };    // [channels, batch, pixels]
layout(binding = 1) readonly buffer Dy { float dy[]; };  // [channels, batch, pixels]
layout(binding = 2) buffer DScale { float dscale[]; };   // [batch, channels]

void main()
{
    uint row = rowIndex();
    if (row >= channels * batch)
        return;
    float sum = 0;
    FOR_EACH_COLUMN(i, pixels)
        sum += x[row * pixels + i] * dy[row * pixels + i];
    sum = subgroupAdd(sum);
    uint at = row % batch * channels + row / batch;
    if (subgroupElect())
        dscale[at] = accumulate != 0 ? dscale[at] + sum : sum;
}
