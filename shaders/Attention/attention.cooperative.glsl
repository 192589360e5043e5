// Attention on matrix units. A subgroup owns ROWS tokens of one side (queries; keys in the backward pass for keys and values) and keeps
// them as fragments of the units' size MM x MN x MK; those of the other side come in blocks that the workgroup's SUBGROUPS share:
//
//     stage 0, 1    BLOCK tokens of two tensors, in 16 bits as they lie in memory
//     scratch       ROWS rows of the subgroup's own: BLOCK scores in F32, which its lanes turn into weights of 16 bits in place
//
// Where in a fragment an element lies is the driver's secret; what depends on row or column therefore happens in scratch, where
// SG / ROWS lanes share a row (or one lane has several). Rows are skewed by 16 bytes, so that neighbouring ones lie in different banks.
// Tokens past the end are staged as zeros.
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#ifdef BF16
#extension GL_EXT_bfloat16 : require
#include "../Shared/half.glsl"
#define FACTOR bfloat16_t
#define PACK(pair) (encodeBF16((pair).x) | encodeBF16((pair).y) << 16)
#define UNPACK(word) vec2(decodeBF16((word) & 0xFFFFu), decodeBF16((word) >> 16))
#else
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define FACTOR float16_t
#define PACK(pair) packFloat2x16(f16vec2(pair))
#define UNPACK(word) vec2(unpackFloat2x16(word))
#endif
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SUBGROUPS = 4;
layout(constant_id = 2) const uint ROWS = 16;   // a multiple of MM
layout(constant_id = 3) const uint BLOCK = 32;  // a multiple of MN, of MK and of 8 * LANES_OF_ROW, at least 2 * MN
layout(constant_id = 4) const uint D = 64;      // head dimension, a multiple of MN, of MK and of 8
layout(constant_id = 5) const uint MM = 16;
layout(constant_id = 6) const uint MN = 16;
layout(constant_id = 7) const uint MK = 16;
layout(constant_id = 8) const uint SG = 32;     // subgroup size; the workgroup size is SUBGROUPS * SG
#include "attention.layout.glsl"

const uint V = 8;                                        // elements of a uvec4
const uint RF = ROWS / MM, DK = D / MK, DN = D / MN;     // fragments of the own rows, and of D as inner and as outer extent
const uint STAGE_STRIDE = D / V + 1, STAGE = BLOCK * STAGE_STRIDE;  // in uvec4
const uint STRIDE = (BLOCK / 4 > D / V ? BLOCK / 4 : D / V) + 1;
shared uvec4 tiles[2 * STAGE + SUBGROUPS * ROWS * STRIDE];

const uint LANES_OF_ROW = SG > ROWS ? SG / ROWS : 1;
const uint PASSES = ROWS * LANES_OF_ROW / SG;            // rows of a lane
const uint RUNS = BLOCK / V / LANES_OF_ROW;              // runs of eight columns that a lane has of each of its rows

#define OWN coopmat<FACTOR, gl_ScopeSubgroup, MM, MK, gl_MatrixUseA>
#define OTHER coopmat<FACTOR, gl_ScopeSubgroup, MK, MN, gl_MatrixUseB>
#define SUMS coopmat<float, gl_ScopeSubgroup, MM, MN, gl_MatrixUseAccumulator>

// The first token and the scratch of this subgroup.
uint row0() { return (gl_WorkGroupID.x * SUBGROUPS + gl_SubgroupID) * ROWS; }
uint scratch() { return 2 * STAGE + gl_SubgroupID * ROWS * STRIDE; }
// Of a lane's pass: the row; of its run: the first column.
uint rowOf(uint pass) { return pass * (SG / LANES_OF_ROW) + gl_SubgroupInvocationID / LANES_OF_ROW; }
uint columnOf(uint run) { return (run * LANES_OF_ROW + gl_SubgroupInvocationID % LANES_OF_ROW) * V; }

// What lanes of the subgroup wrote to shared memory is seen by all of them.
void exchange() { controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease); }

// Over the lanes that share a row.
float rowMaximum(float value)
{
    [[unroll]] for (uint step_ = 1; step_ < LANES_OF_ROW; step_ *= 2)
        value = max(value, subgroupShuffleXor(value, step_));
    return value;
}

float rowSum(float value)
{
    [[unroll]] for (uint step_ = 1; step_ < LANES_OF_ROW; step_ *= 2)
        value += subgroupShuffleXor(value, step_);
    return value;
}

// Copies `rows` tokens from `first` to `start`, by `threads` of which this is number `thread`. `at` may name `token`.
#define COPY_ROWS(start, stride, rows, first, thread, threads, tensor, at) \
    [[unroll]] for (uint load = 0; load < ((rows) * (D / V) + (threads) - 1) / (threads); load++) { \
        uint element = load * (threads) + (thread), row = element / (D / V), part = element % (D / V), token = (first) + row; \
        if (row < (rows)) \
            tiles[(start) + row * (stride) + part] = token < N ? tensor[(at) / V + part] : uvec4(0); \
    }

// A block of the other side, by the whole workgroup.
#define LOAD_STAGE(stage, first, tensor, at) \
    COPY_ROWS((stage) * STAGE, STAGE_STRIDE, BLOCK, first, gl_LocalInvocationID.x, SUBGROUPS * SG, tensor, at)

// The own rows as fragments.
#define LOAD_OWN(fragments, tensor, at) \
    COPY_ROWS(scratch(), STRIDE, ROWS, row0(), gl_SubgroupInvocationID, SG, tensor, at) \
    exchange(); \
    [[unroll]] for (uint outer = 0; outer < RF; outer++) \
        [[unroll]] for (uint inner = 0; inner < DK; inner++) \
            coopMatLoad(fragments[outer][inner], tiles, scratch() + outer * MM * STRIDE + inner * MK / V, STRIDE, gl_CooperativeMatrixLayoutRowMajor); \
    exchange();

// scratch = own stage^T
void multiplyTransposed(OWN own[RF][DK], uint stage)
{
    for (uint j = 0; j < BLOCK / MN; j++)
    {
        SUMS sum[RF];
        [[unroll]] for (uint i = 0; i < RF; i++)
            sum[i] = SUMS(0.0);
        [[unroll]] for (uint k = 0; k < DK; k++)
        {
            OTHER other;
            coopMatLoad(other, tiles, stage * STAGE + j * MN * STAGE_STRIDE + k * MK / V, STAGE_STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
            [[unroll]] for (uint i = 0; i < RF; i++)
                sum[i] = coopMatMulAdd(own[i][k], other, sum[i]);
        }
        [[unroll]] for (uint i = 0; i < RF; i++)
            coopMatStore(sum[i], tiles, scratch() + i * MM * STRIDE + j * MN / 4, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
    }
    exchange();
}

// sum += scratch stage, with the weights in 16 bits
void addProduct(inout SUMS sum[RF][DN], uint stage)
{
    for (uint k = 0; k < BLOCK / MK; k++)
    {
        OWN weights[RF];
        [[unroll]] for (uint i = 0; i < RF; i++)
            coopMatLoad(weights[i], tiles, scratch() + i * MM * STRIDE + k * MK / V, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint j = 0; j < DN; j++)
        {
            OTHER other;
            coopMatLoad(other, tiles, stage * STAGE + k * MK * STAGE_STRIDE + j * MN / V, STAGE_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
            [[unroll]] for (uint i = 0; i < RF; i++)
                sum[i][j] = coopMatMulAdd(weights[i], other, sum[i][j]);
        }
    }
    exchange();
}

// Eight neighbours in F32.
struct Eight { vec4 low, high; };

// A run of a lane's row in scratch.
Eight scoresAt(uint pass, uint column)
{
    uint at = scratch() + rowOf(pass) * STRIDE + column / 4;
    return Eight(uintBitsToFloat(tiles[at]), uintBitsToFloat(tiles[at + 1]));
}

uvec4 pack(Eight x) { return uvec4(PACK(x.low.xy), PACK(x.low.zw), PACK(x.high.xy), PACK(x.high.zw)); }
Eight unpack(uvec4 x) { return Eight(vec4(UNPACK(x.x), UNPACK(x.y)), vec4(UNPACK(x.z), UNPACK(x.w))); }

// Four values, of which those of tokens past the end are replaced; x belongs to `token` and the next three.
vec4 insideOr(float outside, vec4 x, uint token)
{
    return mix(vec4(outside), x, lessThan(uvec4(token) + uvec4(0, 1, 2, 3), uvec4(N)));
}

// Every lane has read its scores: weights may take their place.
void putWeights(Eight weights[PASSES][RUNS])
{
    exchange();
    [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
        [[unroll]] for (uint run = 0; run < RUNS; run++)
            tiles[scratch() + rowOf(pass) * STRIDE + columnOf(run) / V] = pack(weights[pass][run]);
    exchange();
}

// Multiplies each row with its factor: a matrix whose columns are all alike multiplies element by element. It takes the half of a row
// of scratch that weights leave free.
void scaleRows(inout SUMS sum[RF][DN], float factor[PASSES])
{
    [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
        for (uint c = gl_SubgroupInvocationID % LANES_OF_ROW; c < MN / 4; c += LANES_OF_ROW)
            tiles[scratch() + rowOf(pass) * STRIDE + BLOCK / V + c] = floatBitsToUint(vec4(factor[pass]));
    exchange();
    [[unroll]] for (uint i = 0; i < RF; i++)
    {
        SUMS factors;
        coopMatLoad(factors, tiles, scratch() + i * MM * STRIDE + BLOCK / V, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint j = 0; j < DN; j++)
            sum[i][j] = sum[i][j] * factors;
    }
}

// The rows of sum times a scalar, rounded, to where `at` of `token` says; with `add` to what is there.
#define STORE_ROWS(tensor, at, sum, multiplier, add) \
    [[unroll]] for (uint j = 0; j < DN; j++) { \
        [[unroll]] for (uint i = 0; i < RF; i++) \
            coopMatStore(sum[i][j], tiles, scratch() + i * MM * STRIDE, STRIDE, gl_CooperativeMatrixLayoutRowMajor); \
        exchange(); \
        for (uint element = gl_SubgroupInvocationID; element < ROWS * (MN / V); element += SG) { \
            uint row = element / (MN / V), part = element % (MN / V), token = row0() + row; \
            if (token < N) { \
                uint place = (at) / V + j * (MN / V) + part, from = scratch() + row * STRIDE + part * 2; \
                Eight x = Eight(uintBitsToFloat(tiles[from]) * (multiplier), uintBitsToFloat(tiles[from + 1]) * (multiplier)); \
                tensor[place] = pack(add(x, place)); \
            } \
        } \
        exchange(); \
    }
