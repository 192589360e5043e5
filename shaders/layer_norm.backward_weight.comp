#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
#include "storage.glsl"
// Sums of dy * xhat and of dy over a chunk of rows; an invocation owns a column. column_sum adds the chunks up.
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerChunk; };
layout(binding = 0) readonly buffer X { STREAM x[]; };
layout(binding = 1) readonly buffer Statistics { vec2 statistics[]; };
layout(binding = 2) readonly buffer Dy { ELEMENT dy[]; };
layout(binding = 3) writeonly buffer WeightSums { float weightSums[]; };  // [chunks, columns]
layout(binding = 4) writeonly buffer BiasSums { float biasSums[]; };      // [chunks, columns]

void main()
{
    uint column = gl_GlobalInvocationID.x, chunk = gl_WorkGroupID.y;
    if (column >= columns)
        return;
    uint end = min(rows, (chunk + 1) * rowsPerChunk);
    float weightSum = 0, biasSum = 0;
    for (uint row = chunk * rowsPerChunk; row < end; row++)
    {
        vec2 meanRstd = statistics[row];
        float gradient = LOAD(dy[row * columns + column]);
        weightSum += gradient * (LOAD_STREAM(x[row * columns + column]) - meanRstd.x) * meanRstd.y;
        biasSum += gradient;
    }
    weightSums[chunk * columns + column] = weightSum;
    biasSums[chunk * columns + column] = biasSum;
}
