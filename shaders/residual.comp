#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
#include "storage.glsl"
#include "reduce.glsl"
// y = x + scale[b] * branch, one workgroup a token
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerSample; uint scaled; };
layout(binding = 0) readonly buffer X { STREAM x[]; };           // [rows, columns]
layout(binding = 1) readonly buffer Branch { ELEMENT branch[]; };  // [rows, columns]
layout(binding = 2) readonly buffer Scale { float scale[]; };    // [B], read when scaled
layout(binding = 3) writeonly buffer Y { STREAM y[]; };          // [rows, columns]

void main()
{
    uint row = workgroupIndex();
    if (row >= rows)
        return;
    float factor = scaled != 0 ? scale[row / rowsPerSample] : 1;
    uint start = row * columns;
    FOR_EACH_COLUMN(i, columns)
        y[start + i] = STORE_STREAM(LOAD_STREAM(x[start + i]) + factor * LOAD(branch[start + i]));
}
