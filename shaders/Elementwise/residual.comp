#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
#include "../Shared/four.glsl"
// y = x + scale[b] * branch, one subgroup a token
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerSample; uint scaled; };
layout(binding = 0) readonly buffer X { STREAM x[]; };           // [rows, columns]
layout(binding = 0) readonly buffer X4 { STREAM4 x4[]; };
layout(binding = 1) readonly buffer Branch { ELEMENT branch[]; };  // [rows, columns]
layout(binding = 1) readonly buffer Branch4 { ELEMENT4 branch4[]; };
layout(binding = 2) readonly buffer Scale { float scale[]; };    // [B], read when scaled
layout(binding = 3) writeonly buffer Y { STREAM y[]; };          // [rows, columns]
layout(binding = 3) writeonly buffer Y4 { STREAM4 y4[]; };
DECLARE_FOUR(x, LOAD_STREAM)
DECLARE_FOUR(branch, LOAD)

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    float factor = scaled != 0 ? scale[row / rowsPerSample] : 1;
    uint start = row * columns;
    FOR_EACH_FOUR(i, columns)
    {
        vec4 value = xFour(start + i, columns - i) + factor * branchFour(start + i, columns - i);
        STORE_FOUR(y, STORE_STREAM, start + i, columns - i, value);
    }
}
