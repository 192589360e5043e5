#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// dz = dloss / rows * (softmax(z) * sum(t) - t), one subgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; uint accumulate; };
layout(binding = 0) readonly buffer Logits { float logits[]; };          // [rows, columns]
layout(binding = 1) readonly buffer Targets { float targets[]; };        // [rows, columns]
layout(binding = 2) readonly buffer Statistics { float statistics[]; };  // [rows, 3] max z, sum exp(z - max z), sum t
layout(binding = 3) readonly buffer DLoss { float dloss[]; };            // [1]
layout(binding = 4) buffer DLogits { float dlogits[]; };                 // [rows, columns]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    float largest = statistics[3 * row], scale = statistics[3 * row + 2] / statistics[3 * row + 1], factor = dloss[0] / rows;
    FOR_EACH_COLUMN(i, columns)
    {
        float value = factor * (exp(logits[start + i] - largest) * scale - targets[start + i]);
        dlogits[start + i] = accumulate != 0 ? dlogits[start + i] + value : value;
    }
}
