#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
#include "storage.glsl"
layout(local_size_x_id = 0) in;
#include "four.glsl"
// Sums of dy * xhat and of dy over a chunk of rows; an invocation owns four columns. column_sum adds the chunks up.
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerChunk; };
layout(binding = 0) readonly buffer X { STREAM x[]; };
layout(binding = 0) readonly buffer X4 { STREAM4 x4[]; };
layout(binding = 1) readonly buffer Statistics { vec2 statistics[]; };
layout(binding = 2) readonly buffer Dy { ELEMENT dy[]; };
layout(binding = 2) readonly buffer Dy4 { ELEMENT4 dy4[]; };
layout(binding = 3) writeonly buffer WeightSums { float weightSums[]; };  // [chunks, columns]
layout(binding = 3) writeonly buffer WeightSums4 { vec4 weightSums4[]; };
layout(binding = 4) writeonly buffer BiasSums { float biasSums[]; };      // [chunks, columns]
layout(binding = 4) writeonly buffer BiasSums4 { vec4 biasSums4[]; };
DECLARE_FOUR(x, LOAD_STREAM)
DECLARE_FOUR(dy, LOAD)

void main()
{
    uint column = gl_GlobalInvocationID.x * 4, chunk = gl_WorkGroupID.y;
    if (column >= columns)
        return;
    uint end = min(rows, (chunk + 1) * rowsPerChunk), left = columns - column;
    vec4 weightSum = vec4(0), biasSum = vec4(0);
    for (uint row = chunk * rowsPerChunk; row < end; row++)
    {
        vec2 meanRstd = statistics[row];
        vec4 gradient = dyFour(row * columns + column, left);
        weightSum += gradient * (xFour(row * columns + column, left) - meanRstd.x) * meanRstd.y;
        biasSum += gradient;
    }
    STORE_FOUR(weightSums, FLOATS, chunk * columns + column, left, weightSum);
    STORE_FOUR(biasSums, FLOATS, chunk * columns + column, left, biasSum);
}
