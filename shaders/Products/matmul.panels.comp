#version 460
// The transpose of B [N, K] in panels of PANEL columns, as matmul.columns.comp reads them: P[n / PANEL][k][n % PANEL] = B[n, k].
// A lane walks along CHUNK times four elements of one row, so that it divides once: a division takes a processor as long as all else here.
// The last panel may be short: what lies behind N is never used.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint PANEL = 8;
layout(constant_id = 2) const uint CHUNK = 16;
layout(push_constant) uniform Push
{
    uint N, K;  // K is a multiple of four
};
layout(binding = 0) readonly buffer B_ { vec4 B[]; };  // [batch, N, K / 4]
layout(binding = 1) writeonly buffer P_ { float P[]; };

void main()
{
    uint n = gl_GlobalInvocationID.x, padded = (N + PANEL - 1) / PANEL * PANEL, matrix = gl_WorkGroupID.z, fours = K / 4;
    if (n >= padded)
        return;
    uint from = (matrix * N + min(n, N - 1)) * fours;
    uint to = (matrix * padded + n / PANEL * PANEL) * K + n % PANEL;
    uint first = gl_WorkGroupID.y * CHUNK, end = min(first + CHUNK, fours);
    for (uint four = first; four < end; four++)
    {
        vec4 value = B[from + four];
        uint at = to + four * 4 * PANEL;
        P[at] = value.x;
        P[at + PANEL] = value.y;
        P[at + 2 * PANEL] = value.z;
        P[at + 3 * PANEL] = value.w;
    }
}
