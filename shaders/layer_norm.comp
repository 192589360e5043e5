#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
#include "storage.glsl"
#include "reduce.glsl"
// y = (x - mean) * rstd * weight + bias, one workgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; float epsilon; };
layout(binding = 0) readonly buffer X { STREAM x[]; };            // [rows, columns]
layout(binding = 1) readonly buffer Weight { float weight[]; };   // [columns]
layout(binding = 2) readonly buffer Bias { float bias[]; };       // [columns]
layout(binding = 3) writeonly buffer Y { ELEMENT y[]; };          // [rows, columns]
layout(binding = 4) writeonly buffer Statistics { vec2 statistics[]; };  // [rows] mean, rstd

void main()
{
    uint row = workgroupIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    float sum = 0;
    FOR_EACH_COLUMN(i, columns)
        sum += LOAD_STREAM(x[start + i]);
    float mean = workgroupSum(sum) / columns;
    // The second pass over the row avoids the cancellation of E[x^2] - E[x]^2.
    float squares = 0;
    FOR_EACH_COLUMN(i, columns)
    {
        float centred = LOAD_STREAM(x[start + i]) - mean;
        squares += centred * centred;
    }
    float rstd = inversesqrt(workgroupSum(squares) / columns + epsilon);
    FOR_EACH_COLUMN(i, columns)
        y[start + i] = STORE((LOAD_STREAM(x[start + i]) - mean) * rstd * weight[i] + bias[i]);
    if (gl_LocalInvocationID.x == 0)
        statistics[row] = vec2(mean, rstd);
}
