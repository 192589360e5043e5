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
// dbranch = scale[b] * dy, one subgroup a token
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t dyAddress, dbranchAddress;
#else
#define ADDRESSES
layout(binding = 1) readonly buffer Dy { STREAM dy[]; };         // [rows, columns]
layout(binding = 1) readonly buffer Dy4 { STREAM4 dy4[]; };
layout(binding = 2) buffer DBranch { ELEMENT dbranch[]; };       // [rows, columns]
layout(binding = 2) buffer DBranch4 { ELEMENT4 dbranch4[]; };
#endif
layout(push_constant) uniform Push { uint rows; uint columns; uint rowsPerSample; uint accumulate; ADDRESSES };
layout(binding = 0) readonly buffer Scale { float scale[]; };    // [B]
DECLARE_FOUR(dy, LOAD_STREAM)
DECLARE_FOUR(dbranch, LOAD)

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    float factor = scale[row / rowsPerSample];
    uint start = ROW_WITHIN(row, rows) * columns;
    FOR_EACH_FOUR(i, columns)
    {
        vec4 value = factor * dyFour(start + i, columns - i);
        if (accumulate != 0)
            value += dbranchFour(start + i, columns - i);
        STORE_FOUR(dbranch, STORE, start + i, columns - i, value);
    }
}
