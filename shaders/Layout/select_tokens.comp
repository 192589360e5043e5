#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
// y[b, j] = x[b, first + j], one subgroup a token
layout(push_constant) uniform Push { uint rows; uint columns; uint tokens; uint first; uint selected; uint accumulate; };
layout(binding = 0) readonly buffer X { ELEMENT x[]; };  // [B, tokens, columns]
layout(binding = 1) buffer Y { ELEMENT y[]; };           // [B, selected, columns]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint from = (row / selected * tokens + first + row % selected) * columns, to = row * columns;
    FOR_EACH_COLUMN(i, columns)
        y[to + i] = STORE(accumulate != 0 ? LOAD(y[to + i]) + LOAD(x[from + i]) : LOAD(x[from + i]));
}
