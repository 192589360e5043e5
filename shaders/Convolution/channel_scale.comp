#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// y[c, b, :] = x[c, b, :] * scale[b, c], one subgroup a plane; its own gradient of x, too
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; uint accumulate; };
layout(binding = 0) readonly buffer X { float x[]; };          // [channels, batch, pixels]
layout(binding = 1) readonly buffer Scale { float scale[]; };  // [batch, channels]
layout(binding = 2) buffer Y { float y[]; };                   // [channels, batch, pixels]

void main()
{
    uint row = rowIndex();
    if (row >= channels * batch)
        return;
    float factor = scale[row % batch * channels + row / batch];
    FOR_EACH_COLUMN(i, pixels)
    {
        float value = x[row * pixels + i] * factor;
        y[row * pixels + i] = accumulate != 0 ? y[row * pixels + i] + value : value;
    }
}
