#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// The inverse of patch_embed.unfold: a permutation.
layout(push_constant) uniform Push { uint rows; uint channels; uint height; uint width; uint patchSize; uint accumulate; };
layout(binding = 0) readonly buffer Patches { float patches[]; };  // [B, P, C * p * p]
layout(binding = 1) buffer Images { float images[]; };             // [B, C, H, W]

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
    {
        float value = patches[(firstPatch + i / patchSize) * features + feature + i % patchSize];
        images[row * width + i] = accumulate != 0 ? images[row * width + i] + value : value;
    }
}
