#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
// Rows of A copied to a greater distance. Rows that lie a multiple of 2 KiB apart share a few sets of a processor's first cache, where
// the rows that matmul.columns.comp reads at a time drive each other out.
layout(push_constant) uniform Push
{
    uint count;     // fours of A
    uint width;     // fours of a row
    uint distance;  // between the starts of two rows of the copy, in fours
};
layout(binding = 0) readonly buffer A_ { vec4 A[]; };
layout(binding = 1) writeonly buffer Copy_ { vec4 copy_[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        copy_[i / width * distance + i % width] = A[i];
}
