#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// y[b, a, i] = x[a, b, i], one subgroup a row
layout(push_constant) uniform Push { uint first; uint second; uint columns; uint accumulate; };
layout(binding = 0) readonly buffer X { float x[]; };  // [first, second, columns]
layout(binding = 1) buffer Y { float y[]; };           // [second, first, columns]

void main()
{
    uint row = rowIndex();
    if (row >= first * second)
        return;
    uint from = row * columns, to = (row % second * first + row / second) * columns;
    FOR_EACH_COLUMN(i, columns)
        y[to + i] = accumulate != 0 ? y[to + i] + x[from + i] : x[from + i];
}
