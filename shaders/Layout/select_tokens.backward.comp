#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
// dx[b, n] = first <= n < first + selected ? dy[b, n - first] : 0, one subgroup a token
layout(push_constant) uniform Push { uint rows; uint columns; uint tokens; uint first; uint selected; uint accumulate; };
layout(binding = 0) readonly buffer Dy { ELEMENT dy[]; };  // [B, selected, columns]
layout(binding = 1) buffer Dx { ELEMENT dx[]; };           // [B, tokens, columns]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint token = row % tokens, to = row * columns, from = (row / tokens * selected + token - first) * columns;
    bool chosen = token >= first && token < first + selected;
    if (!chosen && accumulate != 0)
        return;
    // Zero as a value, not as a constant: a device that stores 16 bits need not know constants of them.
    FOR_EACH_COLUMN(i, columns)
    {
        float value = chosen ? LOAD(dy[from + i]) : 0;
        dx[to + i] = STORE(accumulate != 0 ? LOAD(dx[to + i]) + value : value);
    }
}
