#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// dx[c, b, :] = dy[b, c] / pixels, one subgroup a plane
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; uint accumulate; };
layout(binding = 0) readonly buffer Dy { float dy[]; };  // [batch, channels]
layout(binding = 1) buffer Dx { float dx[]; };           // [channels, batch, pixels]

void main()
{
    uint row = rowIndex();
    if (row >= channels * batch)
        return;
    float value = dy[row % batch * channels + row / batch] / pixels;
    FOR_EACH_COLUMN(i, pixels)
        dx[row * pixels + i] = accumulate != 0 ? dx[row * pixels + i] + value : value;
}
