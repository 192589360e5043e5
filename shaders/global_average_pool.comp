#version 460
#extension GL_GOOGLE_include_directive : require
#include "reduce.glsl"
// y[b, c] = mean of x[c, b, :], one workgroup a plane
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; };
layout(binding = 0) readonly buffer X { float x[]; };   // [channels, batch, pixels]
layout(binding = 1) writeonly buffer Y { float y[]; };  // [batch, channels]

void main()
{
    uint row = workgroupIndex();
    if (row >= channels * batch)
        return;
    float sum = 0;
    FOR_EACH_COLUMN(i, pixels)
        sum += x[row * pixels + i];
    sum = workgroupSum(sum);
    if (gl_LocalInvocationID.x == 0)
        y[row % batch * channels + row / batch] = sum / pixels;
}
