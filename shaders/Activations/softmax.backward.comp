#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// dx = y * (dy - sum(dy * y)), one subgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; uint accumulate; };
layout(binding = 0) readonly buffer Y { float y[]; };
layout(binding = 1) readonly buffer Dy { float dy[]; };
layout(binding = 2) buffer Dx { float dx[]; };

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    float sum = 0;
    FOR_EACH_COLUMN(i, columns)
        sum += dy[start + i] * y[start + i];
    sum = subgroupAdd(sum);
    FOR_EACH_COLUMN(i, columns)
    {
        float value = y[start + i] * (dy[start + i] - sum);
        dx[start + i] = accumulate != 0 ? dx[start + i] + value : value;
    }
}
