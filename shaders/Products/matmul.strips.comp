#version 460
#extension GL_GOOGLE_include_directive : require
// The columns of X [K, W] in strips of WIDTH, as matmul.columns.comp walks along them: S[strip][k][i] = X[k, WIDTH * strip + i]. Where the last
// strip would reach past W, it holds something else there, or with BACK it starts so much earlier that it ends with X. A workgroup of one
// subgroup takes CHUNK rows, one after the other, so that memory is read in order. With GELU, X is what GELU was taken of, and the strips
// hold the result.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint WIDTH = 24;
layout(constant_id = 2) const uint CHUNK = 16;
layout(constant_id = 3) const uint SG = 8;
layout(constant_id = 4) const uint BACK = 0;
layout(constant_id = 5) const uint GELU = 0;
#include "../Shared/own.glsl"
#include "../Shared/erf.glsl"
layout(push_constant) uniform Push
{
    uint W, K;
    uint64_t addressX, addressS;  // X [batch, K, W], S [batch, strips, K, WIDTH]
};

void main()
{
    uint strips = (W + WIDTH - 1) / WIDTH, zero = gl_SubgroupInvocationID / SG, matrix = gl_WorkGroupID.y;
    uint firstRow = gl_WorkGroupID.x * CHUNK, endRow = min(firstRow + CHUNK, K);
    for (uint row = firstRow + zero; row < endRow; row++)
    {
        // See matmul.columns.comp for the counts of the lanes, and for what is read after the last round.
        uint k = min(subgroupBroadcast(row, 0), endRow - 1);
        uint64_t from = addressX + (uint64_t(matrix) * K + k) * W * 4, to = addressS + (uint64_t(matrix) * strips * K + k) * WIDTH * 4;
        for (uint strip = zero; strip < strips; strip++)
        {
            uint here = min(subgroupBroadcast(strip, 0), strips - 1);
            uint64_t start = from + (BACK != 0 ? min(here * WIDTH, W - WIDTH) : here * WIDTH) * 4;
            Written end = Written(to + uint64_t(here) * K * WIDTH * 4);
            [[unroll]] for (uint i = 0; i < WIDTH; i += SG)
            {
                float value = own(start + i * 4);
                if (GELU != 0)
                    value = gelu(value);
                if (i + gl_SubgroupInvocationID < WIDTH)
                    end.value[i + gl_SubgroupInvocationID] = value;
            }
        }
    }
}
