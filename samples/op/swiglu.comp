#version 460
// y = a * b / (1 + exp(-a)), where a row of x is a, then b
layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint count; uint columns; };
layout(binding = 0) readonly buffer X { float x[]; };  // [rows, 2 * columns]
layout(binding = 1) writeonly buffer Y { float y[]; }; // [rows, columns], count of them

void main()
{
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
        float a = x[i + i / columns * columns], b = x[i + (i / columns + 1) * columns];
        y[i] = a / (1 + exp(-a)) * b; // exp overflows to infinity, and the quotient is then the right 0
    }
}
