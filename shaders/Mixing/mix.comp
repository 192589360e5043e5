#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
#include "../Shared/mix_state.glsl"
// y[b] = x[B - 1 - b] inside the box, lambda * x[b] + (1 - lambda) * x[B - 1 - b] outside
layout(push_constant) uniform Push { uint count; uint batch; uint imageSize; uint width; uint height; };
layout(binding = 0) readonly buffer X { float x[]; };             // [B, C, H, W]
layout(binding = 1) readonly buffer State { MixState state; };
layout(binding = 2) writeonly buffer Y { float y[]; };            // [B, C, H, W]

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        uint image = i / imageSize, within = i - image * imageSize;
        uint column = within % width, row = within / width % height;
        float own = x[i], partner = x[(batch - 1 - image) * imageSize + within];
        bool inside = column >= state.left && column < state.right && row >= state.top && row < state.bottom;
        y[i] = inside ? partner : state.pixelLambda == 1.0 ? own : own * state.pixelLambda + partner * (1.0 - state.pixelLambda);
    }
}
