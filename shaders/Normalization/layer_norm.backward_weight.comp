#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
//! variant address -DBY_ADDRESS
#include "../Shared/storage.glsl"
#include "../Shared/four.glsl"
#include "../Shared/column_layout.glsl"
// Sums of dy * xhat and of dy over a chunk of rows. column_sum adds the chunks up.
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t xAddress, dyAddress, weightSumsAddress, biasSumsAddress;
#else
#define ADDRESSES
layout(binding = 1) readonly buffer X { STREAM x[]; };
layout(binding = 1) readonly buffer X4 { STREAM4 x4[]; };
layout(binding = 2) readonly buffer Dy { ELEMENT dy[]; };
layout(binding = 2) readonly buffer Dy4 { ELEMENT4 dy4[]; };
layout(binding = 3) writeonly buffer WeightSums { float weightSums[]; };  // [chunks, columns]
layout(binding = 3) writeonly buffer WeightSums4 { vec4 weightSums4[]; };
layout(binding = 4) writeonly buffer BiasSums { float biasSums[]; };      // [chunks, columns]
layout(binding = 4) writeonly buffer BiasSums4 { vec4 biasSums4[]; };
#endif
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerChunk; ADDRESSES };
layout(binding = 0) readonly buffer Statistics { vec2 statistics[]; };
DECLARE_FOUR(x, LOAD_STREAM)
DECLARE_FOUR(dy, LOAD)

void main()
{
    uint column = firstColumn(), chunk = gl_WorkGroupID.y;
    if (outside(column, columns))
        return;
    uint left = columns - column, at = chunk * columns + column;
    vec4 weightSum = vec4(0), biasSum = vec4(0);
    FOR_EACH_ROW(row, column, columns, chunk, rowsPerChunk, rows)
    {
        uint here = ROW_WITHIN(row, rows);
        vec2 meanRstd = statistics[here];
        vec4 gradient = dyFour(here * columns + column, left);
        weightSum += gradient * (xFour(here * columns + column, left) - meanRstd.x) * meanRstd.y;
        biasSum += gradient;
    }
    weightSum = sumOfRowLanes(weightSum);
    biasSum = sumOfRowLanes(biasSum);
    if (rowLane() != 0 || column >= columns)
        return;
    STORE_FOUR(weightSums, FLOATS, at, left, weightSum);
    STORE_FOUR(biasSums, FLOATS, at, left, biasSum);
}
