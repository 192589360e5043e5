#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "storage.glsl"
#include "reduce.glsl"
// dx[b, n] = first <= n < first + selected ? dy[b, n - first] : 0, one workgroup a token
layout(push_constant) uniform Push { uint rows; uint columns; uint tokens; uint first; uint selected; uint accumulate; };
layout(binding = 0) readonly buffer Dy { ELEMENT dy[]; };  // [B, selected, columns]
layout(binding = 1) buffer Dx { ELEMENT dx[]; };           // [B, tokens, columns]

void main()
{
    uint row = workgroupIndex();
    if (row >= rows)
        return;
    uint token = row % tokens, to = row * columns;
    if (token >= first && token < first + selected)
    {
        uint from = (row / tokens * selected + token - first) * columns;
        FOR_EACH_COLUMN(i, columns)
            dx[to + i] = STORE(accumulate != 0 ? LOAD(dx[to + i]) + LOAD(dy[from + i]) : LOAD(dy[from + i]));
    }
    else if (accumulate == 0)
        FOR_EACH_COLUMN(i, columns)
            dx[to + i] = STORE(0.0);
}
