#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/four.glsl"
#include "../Shared/column_layout.glsl"
// y[chunk, c] = sum over the chunk's rows of x[row, c] * dy[row, c]; the sum over the chunks is left to column_sum
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerChunk; };
layout(binding = 0) readonly buffer X { ELEMENT x[]; };    // [rows, columns]
layout(binding = 0) readonly buffer X4 { ELEMENT4 x4[]; };
layout(binding = 1) readonly buffer Dy { ELEMENT dy[]; };  // [rows, columns]
layout(binding = 1) readonly buffer Dy4 { ELEMENT4 dy4[]; };
layout(binding = 2) buffer Y { float y[]; };               // [chunks, columns]
layout(binding = 2) buffer Y4 { vec4 y4[]; };
DECLARE_FOUR(x, LOAD)
DECLARE_FOUR(dy, LOAD)

void main()
{
    uint column = firstColumn(), chunk = gl_WorkGroupID.y;
    if (outside(column, columns))
        return;
    uint left = columns - column;
    vec4 sum = vec4(0);
    FOR_EACH_ROW(row, column, columns, chunk, rowsPerChunk, rows)
        sum += xFour(row * columns + column, left) * dyFour(row * columns + column, left);
    sum = sumOfRowLanes(sum);
    if (rowLane() != 0 || column >= columns)
        return;
    STORE_FOUR(y, FLOATS, chunk * columns + column, left, sum);
}
