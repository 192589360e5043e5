#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// y = exp(x - max x) / sum exp(x - max x), one subgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; };
layout(binding = 0) readonly buffer X { float x[]; };   // [rows, columns]
layout(binding = 1) writeonly buffer Y { float y[]; };  // [rows, columns]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    float largest = x[start];
    FOR_EACH_COLUMN(i, columns)
        largest = max(largest, x[start + i]);
    largest = subgroupMax(largest);
    float sum = 0;
    FOR_EACH_COLUMN(i, columns)
        sum += exp(x[start + i] - largest);
    float scale = 1 / subgroupAdd(sum);
    FOR_EACH_COLUMN(i, columns)
        y[start + i] = exp(x[start + i] - largest) * scale;
}
