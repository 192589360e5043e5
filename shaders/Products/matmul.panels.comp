#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
// The transpose of B [N, K] in panels of PANEL columns, as matmul.columns.comp reads them: P[n / PANEL][k][n % PANEL] = B[n, k].
// An item is four neighbours along K, which is a multiple of four. The last panel may be short: what lies behind N is never used.
layout(constant_id = 1) const uint PANEL = 8;
layout(push_constant) uniform Push
{
    uint count;     // items in all
    uint N, K;
    uint inMatrix;  // items of a matrix of the batch
};
layout(binding = 0) readonly buffer B_ { vec4 B[]; };  // [batch, N, K / 4]
layout(binding = 1) writeonly buffer P_ { float P[]; };

void main()
{
    uint fours = K / 4;
    FOR_EACH_ELEMENT(i, count)
    {
        uint matrix = i / inMatrix, item = i % inMatrix;
        uint lane = item % PANEL, four = item / PANEL % fours, panel = item / PANEL / fours;
        uint n = min(panel * PANEL + lane, N - 1);
        vec4 value = B[(matrix * N + n) * fours + four];
        uint to = matrix * inMatrix * 4 + (panel * K + four * 4) * PANEL + lane;
        P[to] = value.x;
        P[to + PANEL] = value.y;
        P[to + 2 * PANEL] = value.z;
        P[to + 3 * PANEL] = value.w;
    }
}
