#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#include "../Shared/storage.glsl"
#define EPILOGUE_ID 7
#define B_BY_ADDRESS
#include "matmul.glsl"
// For CPU drivers, which run the lanes of a subgroup as one vector: a lane owns rows of C, and a workgroup of one subgroup walks along K.
// All lanes need the same element of B at a time. It is read by an address that they share, which such a driver turns into one scalar load
// and a broadcast; an element of A or C, of which each lane needs another one, costs a load for each lane. So a load of A serves COLUMNS
// multiply-adds, and C is touched once. The sums do not fit the registers. They wait on the stack, from where each comes for STEP * ROWS
// multiply-adds.
layout(constant_id = 1) const uint ROWS = 4;      // of a lane
layout(constant_id = 2) const uint COLUMNS = 96;  // of a workgroup, a multiple of 4
layout(constant_id = 3) const uint STEP = 4;      // along K, even
layout(constant_id = 4) const uint SG = 8;
layout(constant_id = 5) const uint A_K_CONTIGUOUS = 1;
layout(constant_id = 6) const uint B_N_CONTIGUOUS = 1;

layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Shared { float value[]; };
// The sums of A's rows, which the first workgroup of some rows adds up on its way: dW = dy^T x reads all that the gradient of a bias needs.
const uint ROW_SUMS = 256, ACCUMULATE_ROW_SUMS = 512;  // of EPILOGUE
layout(binding = EPILOGUE_BINDING + 5) buffer RowSums_ { float rowSums[]; };  // [M]

const uint BYTES = 4;  // of an element

uint alongA(uint k) { return A_K_CONTIGUOUS != 0 ? k : k * strideAK; }

void main()
{
    uint depth = depthHere(), whole = depth / STEP * STEP;
    uint row0 = gl_WorkGroupID.y * (SG * ROWS) + gl_SubgroupInvocationID, column0 = gl_WorkGroupID.x * COLUMNS;
    uint baseA = gl_WorkGroupID.z * batchA, baseC = gl_WorkGroupID.z * batchC;
    uint64_t stepK = uint64_t(strideBK) * BYTES, stepN = uint64_t(strideBN) * BYTES;
    uint64_t start = addressB + (uint64_t(gl_WorkGroupID.z) * batchB + uint64_t(column0) * strideBN) * BYTES;
    uint rowA[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        rowA[r] = baseA + min(row0 + r * SG, M - 1) * (A_K_CONTIGUOUS != 0 ? strideAM : 1);
    float sum[ROWS][COLUMNS], rowSum[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
    {
        rowSum[r] = 0;
        [[unroll]] for (uint j = 0; j < COLUMNS; j++)
            sum[r][j] = 0;
    }

    // Such a driver may run a branch that no lane takes, and hide only what the lanes store there: what is read by an address must be
    // there in any case. Past the last column the last one is read again, or what follows it in memory: see MemoryBlock.Slack.
    #define COLUMN_STEP(j) (column0 + (j) + 1 < N ? stepN : 0)
    uint64_t inStep[STEP];
    [[unroll]] for (uint q = 0; q < STEP; q++)
        inStep[q] = min(q, depth - 1) * stepK;
    if (whole > 0)
    {
        uint k = 0;
        uint64_t from = start;
        do
        {
            float a[ROWS][STEP];
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                [[unroll]] for (uint q = 0; q < STEP; q++)
                {
                    a[r][q] = A[rowA[r] + alongA(k + q)];
                    if ((EPILOGUE & ROW_SUMS) != 0)
                        rowSum[r] += a[r][q];
                }
            uint64_t column = from;
            [[unroll]] for (uint j = 0; j < COLUMNS; j++)
            {
                float b[STEP];
                [[unroll]] for (uint q = 0; q < STEP; q++)
                    b[q] = B_N_CONTIGUOUS != 0 ? Shared(from + inStep[q]).value[j] : Shared(column).value[q];
                column += COLUMN_STEP(j);
                // The products of a step are added to each other first, which rounds less than one long chain.
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                {
                    float even = 0, odd = 0;
                    [[unroll]] for (uint q = 0; q < STEP; q += 2)
                    {
                        even = fma(a[r][q], b[q], even);
                        odd = fma(a[r][q + 1], b[q + 1], odd);
                    }
                    sum[r][j] = (sum[r][j] + odd) + even;
                }
            }
            from += STEP * stepK;
            k += STEP;
        } while (k < whole);
    }
    for (uint k = whole; k < depth; k++)
    {
        uint at = min(k, depth - 1);
        uint64_t column = start + at * stepK;
        float a[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++)
        {
            a[r] = A[rowA[r] + alongA(at)];
            if ((EPILOGUE & ROW_SUMS) != 0)
                rowSum[r] += a[r];
        }
        [[unroll]] for (uint j = 0; j < COLUMNS; j++)
        {
            float b = Shared(column).value[0];
            column += COLUMN_STEP(j);
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                sum[r][j] = fma(a[r], b, sum[r][j]);
        }
    }

    [[unroll]] for (uint r = 0; r < ROWS; r++)
    {
        uint row = row0 + r * SG;
        if ((EPILOGUE & ROW_SUMS) != 0 && gl_WorkGroupID.x == 0 && row < M)
            rowSums[row] = rowSum[r] + ((EPILOGUE & ACCUMULATE_ROW_SUMS) != 0 ? rowSums[row] : 0);
        if (row < M)
            [[unroll]] for (uint j = 0; j < COLUMNS; j += 4)
            {
                uint n = column0 + j, at = baseC + row * strideCM + n;
                vec4 four = vec4(sum[r][j], sum[r][j + 1], sum[r][j + 2], sum[r][j + 3]);
                if ((EPILOGUE & FOURS) != 0)
                {
                    if (n < N)
                        finish4(row, n, at, four);
                }
                else
                    [[unroll]] for (uint c = 0; c < 4; c++)
                        if (n + c < N)
                            finish(row, n + c, at + c, four[c]);
            }
    }
}
