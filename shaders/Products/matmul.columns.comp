#version 460
#extension GL_GOOGLE_include_directive : require
layout(constant_id = 3) const uint SG = 8;
#include "../Shared/storage.glsl"
#include "../Shared/own.glsl"
#define EPILOGUE_ID 6
#define BY_ADDRESS
float biasOfColumn, elementOfE;
#define BIAS_OF(n) biasOfColumn
#define ELEMENT_OF_E(at) elementOfE
#include "matmul.glsl"
// For CPU drivers, which run the lanes of a subgroup as one vector: a lane owns a column of C, and a workgroup of one subgroup walks along
// K with ROWS rows. Their sums stay in registers. A multiply-add needs an element of A, which all lanes share and whose load is part of
// the instruction, and SG neighbours of B, which are loaded as one vector for ROWS multiply-adds.
// B lies in panels of SG columns: B[k, n] is element n / SG * strideBN + k * strideBK + n % SG. Where n is contiguous, B is so already.
layout(constant_id = 1) const uint ROWS = 24;      // at most M
layout(constant_id = 2) const uint STEP = 24;      // along K, at most K
// The distances of A[m, k] within a block of rows. They are constants, so that the elements' places are parts of the instructions.
// Where STRIDE_AK is 1, A lies in rows, and strideAM of the push constants is the distance from a row to the next. Elsewhere A lies in strips
// of ROWS, as matmul.strips.comp lays it, and strideAM is the distance from a strip to the next.
layout(constant_id = 4) const uint STRIDE_AM = 0;
layout(constant_id = 5) const uint STRIDE_AK = 1;

// The sums of A's rows: dW = dy^T x reads all that the gradient of a bias needs. A panel of ones behind the last panel makes them.
const uint ROW_SUMS = 256, ACCUMULATE_ROW_SUMS = 512;  // of EPILOGUE
layout(binding = EPILOGUE_BINDING + 4) buffer RowSums_ { float rowSums[]; };  // [M]

const uint READS_E = GELU_DERIVATIVE | RESIDUAL;       // of EPILOGUE
const uint BYTES = 4;                                  // of an element

// Finishes the rows of a block and writes them.
void store(uint n, uint panel, uint baseC, uint row0, uint firstRow, bool ones, float sum[ROWS])
{
    [[unroll]] for (uint r = 0; r < ROWS; r++)
    {
        uint row = row0 + r;
        if ((EPILOGUE & READS_E) != 0)
            elementOfE = own(addressE + uint64_t(baseC + row * strideCM + panel * SG) * BYTES);
        if (n < N && row >= firstRow)
            finish(row, n, baseC + row * strideCM + n, sum[r]);
        if (ones && row >= firstRow && gl_SubgroupInvocationID == 0)
            rowSums[row] = sum[r] + ((EPILOGUE & ACCUMULATE_ROW_SUMS) != 0 ? rowSums[row] : 0);
    }
}

void main()
{
    uint depth = depthHere(), whole = depth / STEP * STEP, panels = (N + SG - 1) / SG, panel = gl_WorkGroupID.x;
    bool ones = (EPILOGUE & ROW_SUMS) != 0 && panel == panels;
    // The last rows may overlap those of the workgroup before, which stores them.
    uint firstRow = gl_WorkGroupID.y * ROWS, row0 = min(firstRow, M - ROWS);
    uint64_t stepA = uint64_t(STRIDE_AK) * BYTES, stepB = uint64_t(strideBK) * BYTES;
    uint64_t a = addressA + (uint64_t(gl_WorkGroupID.z) * batchA + uint64_t(STRIDE_AK != 1 ? gl_WorkGroupID.y : row0) * strideAM) * BYTES;
    uint64_t b = addressB + (uint64_t(gl_WorkGroupID.z) * batchB + uint64_t(min(panel, panels - 1)) * strideBN) * BYTES;
    float sum[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++)
        sum[r] = 0;
    // Each lane counts the rounds by itself, so that the test of the loop is one of vectors. All counts are equal, and the addresses come
    // of that of lane 0. If all shared one count, the driver would look for the first lane that still runs, at each round and twice, and
    // the next round would wait for it. So the count begins with a zero of each lane, which the driver does not know to be one.
    uint zero = gl_SubgroupInvocationID / SG;
    // Such a driver runs a loop's body once more after its last round and hides what it stores there: what is read by an address must be
    // there in any case. So the addresses stop at the last round. Past the last column lies what follows in memory: see MemoryBlock.Slack.
    for (uint k = zero; k < whole; k += STEP)
    {
        uint here = min(subgroupBroadcast(k, 0), whole - STEP);
        uint64_t firstA = a + here * stepA, fromB = b + here * stepB;
        // The products of a round are added up by themselves, which rounds less than one long chain.
        float part[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++)
            part[r] = 0;
        [[unroll]] for (uint q = 0; q < STEP; q++)
        {
            float factor = own(fromB);
            if ((EPILOGUE & ROW_SUMS) != 0)
                factor = ones ? 1 : factor;
            [[unroll]] for (uint r = 0; r < ROWS; r++)
            {
                float x = Shared(firstA).value[STRIDE_AM * r + STRIDE_AK * q];
                part[r] = fma(x, factor, part[r]);
            }
            fromB += stepB;
        }
        [[unroll]] for (uint r = 0; r < ROWS; r++)
            sum[r] += part[r];
    }
    for (uint k = whole + zero; k < depth; k++)
    {
        uint here = min(subgroupBroadcast(k, 0), depth - 1);
        uint64_t fromA = a + here * stepA;
        float factor = own(b + here * stepB);
        if ((EPILOGUE & ROW_SUMS) != 0)
            factor = ones ? 1 : factor;
        [[unroll]] for (uint r = 0; r < ROWS; r++)
            sum[r] = fma(Shared(fromA).value[STRIDE_AM * r], factor, sum[r]);
    }

    uint n = panel * SG + gl_SubgroupInvocationID, baseC = gl_WorkGroupID.z * batchC;
    // Once for all rows: the compiler cannot know that no store of a row changes it.
    biasOfColumn = 0;
    if ((EPILOGUE & BIAS) != 0 && n < N)
        biasOfColumn = bias[n];
    if ((EPILOGUE & READS_E) == 0)
        store(n, panel, baseC, row0, firstRow, ones, sum);
    else
        // A loop that tests before it runs: see own.glsl.
        for (uint once = zero; once < 1; once++)
            store(n, panel, baseC, row0, firstRow, ones, sum);
}
