#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// loss = sum(t * (log(sum exp(z - max z)) - (z - max z))), one subgroup a row. The differences from the maximum keep their
// digits where logits are large; max z + log(sum) would not.
layout(push_constant) uniform Push { uint rows; uint columns; };
layout(binding = 0) readonly buffer Logits { float logits[]; };    // [rows, columns]
layout(binding = 1) readonly buffer Targets { float targets[]; };  // [rows, columns]
layout(binding = 2) writeonly buffer Losses { float losses[]; };   // [rows]
layout(binding = 3) writeonly buffer Statistics { float statistics[]; };  // [rows, 3] max z, sum exp(z - max z), sum t

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    float largest = logits[start];
    FOR_EACH_COLUMN(i, columns)
        largest = max(largest, logits[start + i]);
    largest = subgroupMax(largest);
    float sum = 0, weight = 0, dot = 0;
    FOR_EACH_COLUMN(i, columns)
    {
        float z = logits[start + i] - largest, t = targets[start + i];
        sum += exp(z);
        weight += t;
        dot += t * z;
    }
    sum = subgroupAdd(sum);
    weight = subgroupAdd(weight);
    dot = subgroupAdd(dot);
    if (subgroupElect())
    {
        losses[row] = weight * log(sum) - dot;
        statistics[3 * row] = largest;
        statistics[3 * row + 1] = sum;
        statistics[3 * row + 2] = weight;
    }
}
