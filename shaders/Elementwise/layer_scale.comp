#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
#include "../Shared/four.glsl"
// y[row, c] (+)= gamma[c] * x[row, c], one subgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; uint accumulate; };
layout(binding = 0) readonly buffer X { ELEMENT x[]; };        // [rows, columns]
layout(binding = 0) readonly buffer X4 { ELEMENT4 x4[]; };
layout(binding = 1) readonly buffer Gamma { float gamma[]; };  // [columns]
layout(binding = 1) readonly buffer Gamma4 { vec4 gamma4[]; };
layout(binding = 2) buffer Y { ELEMENT y[]; };                 // [rows, columns]
layout(binding = 2) buffer Y4 { ELEMENT4 y4[]; };
DECLARE_FOUR(x, LOAD)
DECLARE_FOUR(gamma, FLOATS)
DECLARE_FOUR(y, LOAD)

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    FOR_EACH_FOUR(i, columns)
    {
        uint left = columns - i;
        vec4 value = gammaFour(i, left) * xFour(start + i, left);
        if (accumulate != 0)
            value += yFour(start + i, left);
        STORE_FOUR(y, STORE, start + i, left, value);
    }
}
