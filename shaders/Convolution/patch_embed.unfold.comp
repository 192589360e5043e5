#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
// patches[b, py * (W / p) + px, (c * p + y) * p + x] = images[b, c, py * p + y, px * p + x], one subgroup a row of an image:
// only the position in the row differs between its invocations.
layout(push_constant) uniform Push { uint rows; uint channels; uint height; uint width; uint patchSize; };
layout(binding = 0) readonly buffer Images { float images[]; };      // [B, C, H, W]
layout(binding = 1) writeonly buffer Patches { ELEMENT patches[]; };  // [B, P, C * p * p]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint line = row % height, channel = row / height % channels, image = row / (height * channels);
    uint across = width / patchSize, features = channels * patchSize * patchSize;
    uint firstPatch = (image * (height / patchSize) + line / patchSize) * across;
    uint feature = (channel * patchSize + line % patchSize) * patchSize;
    FOR_EACH_COLUMN(i, width)
        patches[(firstPatch + i / patchSize) * features + feature + i % patchSize] = STORE(images[row * width + i]);
}
