#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
#include "storage.glsl"
#include "reduce.glsl"
// dbranch = scale[b] * dy, one workgroup a token
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerSample; uint accumulate; };
layout(binding = 0) readonly buffer Dy { STREAM dy[]; };       // [rows, columns]
layout(binding = 1) readonly buffer Scale { float scale[]; };  // [B]
layout(binding = 2) buffer DBranch { ELEMENT dbranch[]; };       // [rows, columns]

void main()
{
    uint row = workgroupIndex();
    if (row >= rows)
        return;
    float factor = scale[row / rowsPerSample];
    uint start = row * columns;
    FOR_EACH_COLUMN(i, columns)
    {
        float value = factor * LOAD_STREAM(dy[start + i]);
        dbranch[start + i] = STORE(accumulate != 0 ? LOAD(dbranch[start + i]) + value : value);
    }
}
