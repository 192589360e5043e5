#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
//! variant address -DBY_ADDRESS
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
#include "../Shared/four.glsl"
// y = (x - mean) * rstd * weight + bias, one subgroup a row
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t xAddress, weightAddress, biasAddress, yAddress;
#else
#define ADDRESSES
layout(binding = 1) readonly buffer X { STREAM x[]; };            // [rows, columns]
layout(binding = 1) readonly buffer X4 { STREAM4 x4[]; };
layout(binding = 2) readonly buffer Weight { float weight[]; };   // [columns]
layout(binding = 2) readonly buffer Weight4 { vec4 weight4[]; };
layout(binding = 3) readonly buffer Bias { float bias[]; };       // [columns]
layout(binding = 3) readonly buffer Bias4 { vec4 bias4[]; };
layout(binding = 4) writeonly buffer Y { ELEMENT y[]; };          // [rows, columns]
layout(binding = 4) writeonly buffer Y4 { ELEMENT4 y4[]; };
#endif
layout(push_constant) uniform Push { uint rows; uint columns; float epsilon; ADDRESSES };
layout(binding = 0) writeonly buffer Statistics { vec2 statistics[]; };  // [rows] mean, rstd
DECLARE_FOUR(x, LOAD_STREAM)
DECLARE_FOUR(weight, FLOATS)
DECLARE_FOUR(bias, FLOATS)

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = ROW_WITHIN(row, rows) * columns;
    vec4 sum = vec4(0);
    FOR_EACH_FOUR(i, columns)
        sum += xFour(start + i, columns - i);
    float mean = subgroupAdd(sumOf(sum)) / columns;
    // The second pass over the row avoids the cancellation of E[x^2] - E[x]^2.
    vec4 squares = vec4(0);
    FOR_EACH_FOUR(i, columns)
    {
        vec4 centred = (xFour(start + i, columns - i) - mean) * within(columns - i);
        squares += centred * centred;
    }
    float rstd = inversesqrt(subgroupAdd(sumOf(squares)) / columns + epsilon);
    FOR_EACH_FOUR(i, columns)
    {
        vec4 value = (xFour(start + i, columns - i) - mean) * rstd * weightFour(i, columns - i) + biasFour(i, columns - i);
        STORE_FOUR(y, STORE, start + i, columns - i, value);
    }
    if (subgroupElect())
        statistics[row] = vec2(mean, rstd);
}
