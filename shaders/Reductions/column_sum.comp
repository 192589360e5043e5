#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/four.glsl"
#include "../Shared/column_layout.glsl"
// y[chunk, c] = sum over the chunk's rows of x[row, c]. Run on its own output with one chunk it ends the sum.
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerChunk; uint accumulate; };
layout(binding = 0) readonly buffer X { ELEMENT x[]; };  // [rows, columns]
layout(binding = 0) readonly buffer X4 { ELEMENT4 x4[]; };
layout(binding = 1) buffer Y { float y[]; };             // [chunks, columns]
layout(binding = 1) buffer Y4 { vec4 y4[]; };
DECLARE_FOUR(x, LOAD)
DECLARE_FOUR(y, FLOATS)

void main()
{
    uint column = firstColumn(), chunk = gl_WorkGroupID.y;
    if (outside(column, columns))
        return;
    uint left = columns - column, at = chunk * columns + column;
    vec4 sum = vec4(0);
    FOR_EACH_ROW(row, column, columns, chunk, rowsPerChunk, rows)
        sum += xFour(row * columns + column, left);
    sum = sumOfRowLanes(sum);
    if (rowLane() != 0 || column >= columns)
        return;
    if (accumulate != 0)
        sum += yFour(at, left);
    STORE_FOUR(y, FLOATS, at, left, sum);
}
