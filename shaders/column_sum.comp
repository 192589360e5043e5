#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "storage.glsl"
// y[chunk, c] = sum over the chunk's rows of x[row, c]; an invocation owns a column. Run on its own output with one chunk it ends the sum.
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerChunk; uint accumulate; };
layout(binding = 0) readonly buffer X { ELEMENT x[]; };  // [rows, columns]
layout(binding = 1) buffer Y { float y[]; };           // [chunks, columns]

void main()
{
    uint column = gl_GlobalInvocationID.x, chunk = gl_WorkGroupID.y;
    if (column >= columns)
        return;
    uint end = min(rows, (chunk + 1) * rowsPerChunk);
    float sum = 0;
    for (uint row = chunk * rowsPerChunk; row < end; row++)
        sum += LOAD(x[row * columns + column]);
    uint at = chunk * columns + column;
    y[at] = accumulate != 0 ? y[at] + sum : sum;
}
