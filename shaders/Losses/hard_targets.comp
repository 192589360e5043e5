#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// y[row, c] = 1 at the first largest element of the row, 0 elsewhere, one subgroup a row
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
    // The first position as a maximum of negative positions: exact in a float up to 2^24 columns.
    float first = -float(columns);
    FOR_EACH_COLUMN(i, columns)
        if (x[start + i] == largest)
            first = max(first, -float(i));
    first = subgroupMax(first);
    FOR_EACH_COLUMN(i, columns)
        y[start + i] = -float(i) == first ? 1 : 0;
}
