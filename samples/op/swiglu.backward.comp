#version 460
// da (+)= dy * b * s * (1 + a * (1 - s)) and db (+)= dy * a * s, with s = 1 / (1 + exp(-a))
layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint count; uint columns; uint accumulate; };
layout(binding = 0) readonly buffer X { float x[]; };   // [rows, 2 * columns]
layout(binding = 1) readonly buffer Dy { float dy[]; }; // [rows, columns], count of them
layout(binding = 2) buffer Dx { float dx[]; };          // [rows, 2 * columns]

void main()
{
    for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
        uint atA = i + i / columns * columns, atB = atA + columns;
        float a = x[atA], b = x[atB], s = 1 / (1 + exp(-a));
        float da = dy[i] * b * s * (1 + a * (1 - s)), db = dy[i] * a * s;
        dx[atA] = accumulate != 0 ? dx[atA] + da : da;
        dx[atB] = accumulate != 0 ? dx[atB] + db : db;
    }
}
