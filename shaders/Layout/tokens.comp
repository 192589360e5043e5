#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
// y = concatenation of prefix tokens and patches, plus the position embedding; one subgroup a token
layout(push_constant) uniform Push { uint rows; uint columns; uint tokens; uint prefix; };
layout(binding = 0) readonly buffer Patches { ELEMENT patches[]; };          // [B, tokens - prefix, columns]
layout(binding = 1) readonly buffer ClassToken { float classToken[]; };      // [columns]
layout(binding = 2) readonly buffer DistillToken { float distillToken[]; };  // [columns], used when prefix is 2
layout(binding = 3) readonly buffer Position { float position[]; };          // [tokens, columns]
layout(binding = 4) writeonly buffer Y { ELEMENT y[]; };                     // [B, tokens, columns]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint image = row / tokens, token = row % tokens;
    if (token >= prefix)
    {
        uint start = (image * (tokens - prefix) + token - prefix) * columns;
        FOR_EACH_COLUMN(i, columns)
            y[row * columns + i] = STORE(LOAD(patches[start + i]) + position[token * columns + i]);
    }
    else if (token == 0)
        FOR_EACH_COLUMN(i, columns)
            y[row * columns + i] = STORE(classToken[i] + position[i]);
    else
        FOR_EACH_COLUMN(i, columns)
            y[row * columns + i] = STORE(distillToken[i] + position[columns + i]);
}
