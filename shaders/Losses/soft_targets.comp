#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// targets[row, c] = c == labels[row] ? on : off
layout(push_constant) uniform Push { uint rows; uint columns; float on; float off; };
layout(binding = 0) readonly buffer Labels { uint labels[]; };      // [rows]
layout(binding = 1) writeonly buffer Targets { float targets[]; };  // [rows, columns]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint label = labels[row];
    FOR_EACH_COLUMN(i, columns)
        targets[row * columns + i] = i == label ? on : off;
}
