#version 460
// Rows of A copied to a greater distance. Rows that lie a multiple of 2 KiB apart share a few sets of a processor's first cache, where
// the rows that matmul.columns.comp reads at a time drive each other out.
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push
{
    uint rows;
    uint width;     // fours of a row
    uint distance;  // between the starts of two rows of the copy, in fours
};
layout(binding = 0) readonly buffer A_ { vec4 A[]; };
layout(binding = 1) writeonly buffer Copy_ { vec4 copy_[]; };

void main()
{
    uint at = gl_GlobalInvocationID.x;
    if (at < width)
        for (uint row = gl_WorkGroupID.y; row < rows; row += gl_NumWorkGroups.y)
            copy_[row * distance + at] = A[row * width + at];
}
