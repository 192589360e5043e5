// Attention on tiles in shared memory, for devices whose lanes have some hundred registers, whatever their subgroups are. A workgroup owns
// ROWS tokens of one side (queries; keys in the backward pass for keys and values); those of the other side come BLOCK at a time:
//
//     own 0 [, 1]   ROWS tokens of one tensor or two
//     stage 0, 1    BLOCK tokens of two tensors
//     weights       ROWS rows of BLOCK weights
//
// LANES_OF_ROW invocations share OWN rows. Each computes four columns of their scores, and of their sums over the other side every
// LANES_OF_ROW-th group of four channels. Rows of tiles are an odd number of vec4 apart, so that neighbouring ones lie in different banks; an
// invocation's rows and columns are not neighbours but those of the workgroup's other invocations lie between. Tokens past the end are
// staged as zeros. Who includes this defines OWN_TILES.
#extension GL_EXT_control_flow_attributes : require
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint D = 64;            // head dimension
layout(constant_id = 2) const uint LANES_OF_ROW = 8;  // a multiple of 4
layout(constant_id = 3) const uint GROUPS = 16;       // of rows; the workgroup size is LANES_OF_ROW * GROUPS
layout(constant_id = 4) const uint OWN = 4;
#include "attention.layout.glsl"

const uint THREADS = LANES_OF_ROW * GROUPS, ROWS = GROUPS * OWN, BLOCK = 4 * LANES_OF_ROW;
const bool VECTORS = D % 4 == 0;
const uint D4 = (D + 3) / 4, DX = (D4 + LANES_OF_ROW - 1) / LANES_OF_ROW;  // groups of four channels: of a token, of an invocation
const uint STRIDE = D4 | 1, WEIGHTS_STRIDE = LANES_OF_ROW | 1;
const uint STAGES = OWN_TILES * ROWS * STRIDE;
// Tokens of 16-bit floats stay so: half the shared memory leaves room for more workgroups. Compilers make the conversion part of a
// multiply-add. bfloat16 has no such instruction, and is staged as float.
#ifdef F16
#define STAGED uvec2
#define PACKED(four) uvec2(packHalf2x16((four).xy), packHalf2x16((four).zw))
#define UNPACKED(staged) vec4(unpackHalf2x16((staged).x), unpackHalf2x16((staged).y))
#define OWN_FACTOR(factor) 1  // rounding would lose it: multiplyTransposed multiplies instead
#else
#define STAGED vec4
#define PACKED(four) (four)
#define UNPACKED(staged) (staged)
#define OWN_FACTOR(factor) (factor)
#endif
shared STAGED tiles[STAGES + 2 * BLOCK * STRIDE];
shared vec4 weightTiles[ROWS * WEIGHTS_STRIDE];

uint lane() { return gl_LocalInvocationID.x % LANES_OF_ROW; }
// Of an invocation's row the place in the workgroup's, and the token.
uint rowOf(uint i) { return i * GROUPS + gl_LocalInvocationID.x / LANES_OF_ROW; }
uint row0() { return gl_WorkGroupID.x * ROWS; }
uint tokenOf(uint i) { return row0() + rowOf(i); }
// The tokens of an invocation's four columns: those of a block that begins with `first`.
uvec4 columns(uint first) { return first + lane() + LANES_OF_ROW * uvec4(0, 1, 2, 3); }
bvec4 inside(uvec4 tokens) { return lessThan(tokens, uvec4(N)); }
// The group of channels that is an invocation's number j; the last one again where there are no more.
uint partOf(uint j) { return min(j * LANES_OF_ROW + lane(), D4 - 1); }
bool hasPart(uint j) { return D4 % LANES_OF_ROW == 0 || j * LANES_OF_ROW + lane() < D4; }

// tensorPart(at, part): a group of four channels of the row that begins at `at`; zeros after its end.
#define DECLARE_PART(tensor) vec4 tensor##Part(uint at, uint part) \
{ \
    if (VECTORS) \
        return LOAD4(tensor##4[at / 4 + part]); \
    vec4 four = vec4(0); \
    for (uint c = 0; c < 4 && part * 4 + c < D; c++) \
        four[c] = LOAD(tensor[at + part * 4 + c]); \
    return four; \
}
#define STORE_PART(tensor, at, part, four) \
    if (VECTORS) \
        tensor##4[(at) / 4 + (part)] = STORE4(four); \
    else \
        for (uint c = 0; c < 4 && (part) * 4 + c < D; c++) \
            tensor[(at) + (part) * 4 + c] = STORE((four)[c])

// Copies `rows` tokens from `first`, times a factor, so that four loads of an invocation are under way at once. `at` may name `token`.
#define STAGE_ROWS(start, rows, first, factor, tensor, at) \
    for (uint loads = 0; loads < (rows) * D4; loads += 4 * THREADS) \
        [[unroll]] for (uint load = 0; load < 4; load++) { \
            uint element = loads + load * THREADS + gl_LocalInvocationID.x, row = element / D4, part = element % D4, token = (first) + row; \
            if (row < (rows)) \
                tiles[(start) + row * STRIDE + part] = PACKED(token < N ? tensor##Part(at, part) * (factor) : vec4(0)); \
        }
#define STAGE_OWN(tile, factor, tensor, at) STAGE_ROWS((tile) * ROWS * STRIDE, ROWS, row0(), OWN_FACTOR(factor), tensor, at)
#define STAGE_BLOCK(stage, first, tensor, at) STAGE_ROWS(STAGES + (stage) * BLOCK * STRIDE, BLOCK, first, 1, tensor, at)

// result[i][c] = own row i . row c of a stage
void multiplyTransposed(out vec4 result[OWN], uint own, uint stage)
{
    [[unroll]] for (uint i = 0; i < OWN; i++)
        result[i] = vec4(0);
    for (uint d = 0; d < D4; d++)
    {
        vec4 others[4];
        [[unroll]] for (uint c = 0; c < 4; c++)
            others[c] = UNPACKED(tiles[STAGES + (stage * BLOCK + c * LANES_OF_ROW + lane()) * STRIDE + d]);
        [[unroll]] for (uint i = 0; i < OWN; i++)
        {
            vec4 row = UNPACKED(tiles[(own * ROWS + rowOf(i)) * STRIDE + d]);
            [[unroll]] for (uint e = 0; e < 4; e++)
                result[i] += row[e] * vec4(others[0][e], others[1][e], others[2][e], others[3][e]);
        }
    }
#ifdef F16
    if (own == 0)
        [[unroll]] for (uint i = 0; i < OWN; i++)
            result[i] *= scale;
#endif
}

// Where the four columns of each invocation lie side by side.
void putWeights(vec4 weights[OWN])
{
    [[unroll]] for (uint i = 0; i < OWN; i++)
        weightTiles[rowOf(i) * WEIGHTS_STRIDE + lane()] = weights[i];
    barrier();
}

// sum += weights stage
void addProduct(inout vec4 sum[OWN][DX], uint stage)
{
    for (uint four = 0; four < LANES_OF_ROW; four++)
    {
        vec4 weights[OWN];
        [[unroll]] for (uint i = 0; i < OWN; i++)
            weights[i] = weightTiles[rowOf(i) * WEIGHTS_STRIDE + four];
        [[unroll]] for (uint c = 0; c < 4; c++)
            [[unroll]] for (uint j = 0; j < DX; j++)
            {
                vec4 other = UNPACKED(tiles[STAGES + (stage * BLOCK + c * LANES_OF_ROW + four) * STRIDE + partOf(j)]);
                [[unroll]] for (uint i = 0; i < OWN; i++)
                    sum[i][j] += weights[i][c] * other;
            }
    }
}

float sumOf(vec4 four) { return (four.x + four.y) + (four.z + four.w); }

#ifdef OVER_ROWS
// A value of each lane that shares a row, and what becomes of them, of all lanes in one order.
shared vec4 lanes[ROWS * LANES_OF_ROW / 4];

void putValues(float values[OWN])
{
    [[unroll]] for (uint i = 0; i < OWN; i++)
        lanes[(rowOf(i) * LANES_OF_ROW + lane()) / 4][lane() % 4] = values[i];
    barrier();
}

float rowMaximum(uint i)
{
    vec4 largest = lanes[rowOf(i) * LANES_OF_ROW / 4];
    [[unroll]] for (uint l = 1; l < LANES_OF_ROW / 4; l++)
        largest = max(largest, lanes[rowOf(i) * LANES_OF_ROW / 4 + l]);
    return max(max(largest.x, largest.y), max(largest.z, largest.w));
}

float rowSum(uint i)
{
    vec4 total = vec4(0);
    [[unroll]] for (uint l = 0; l < LANES_OF_ROW / 4; l++)
        total += lanes[rowOf(i) * LANES_OF_ROW / 4 + l];
    return sumOf(total);
}
#endif
