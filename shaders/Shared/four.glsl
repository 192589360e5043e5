// Rows four neighbours at a time: one access of 16 bytes, or of 8, where VECTORS says that rows are multiples of four, and single ones
// elsewhere. A tensor is declared as scalars and, with a 4 to its name, as vectors over the same binding.
#ifdef BY_ADDRESS
const uint VECTORS = 1;
#else
layout(constant_id = 1) const uint VECTORS = 1;
#endif
#ifdef BY_ADDRESS
// The four of a lane lie SG elements apart, so that those of a subgroup are four vectors: see own.glsl. Rows are multiples of 4 * SG. Addresses are
// those of lane 0; each lane counts by itself, as in matmul.columns.comp. What is read past the end of a row is never used.
layout(constant_id = 1) const uint SG = 8;
#include "own.glsl"
#define FOR_EACH_FOUR(i, columns) for (uint i = gl_SubgroupInvocationID / SG; i < columns; i += 4 * SG)
#define DECLARE_FOUR(tensor, load) vec4 tensor##Four(uint at, uint left) \
{ \
    uint64_t from = tensor##Address + subgroupBroadcast(at, 0) * 4ul; \
    return vec4(own(from), own(from + 4 * SG), own(from + 8 * SG), own(from + 12 * SG)); \
}
#define STORE_FOUR(tensor, store, at, left, four) \
    { \
        Written to = Written(tensor##Address + subgroupBroadcast(at, 0) * 4ul); \
        for (uint c = 0; c < 4; c++) \
            to.value[c * SG + gl_SubgroupInvocationID] = (four)[c]; \
    }
#else
#define ROW_WITHIN(row, rows) (row)
// Of a row that a subgroup has to itself, see rows.glsl.
#define FOR_EACH_FOUR(i, columns) for (uint i = gl_SubgroupInvocationID * 4; i < columns; i += rowLanes() * 4)

// tensorFour(at, left): four elements of which `left` or more lie in the row; zeros after its end. The macro to load with has a twin for vectors.
#define DECLARE_FOUR(tensor, load) vec4 tensor##Four(uint at, uint left) \
{ \
    if (VECTORS != 0) \
        return load##4(tensor##4[at / 4]); \
    vec4 four = vec4(0); \
    for (uint c = 0; c < 4 && c < left; c++) \
        four[c] = load(tensor[at + c]); \
    return four; \
}
#define FLOATS(value) (value)
#define FLOATS4(value) (value)

// Writes as many of four as lie in the row.
#define STORE_FOUR(tensor, store, at, left, four) \
    if (VECTORS != 0) \
        tensor##4[(at) / 4] = store##4(four); \
    else \
        for (uint c = 0; c < 4 && c < (left); c++) \
            tensor[(at) + c] = store((four)[c])
#endif

// 1 where an element lies in the row.
vec4 within(uint left) { return VECTORS != 0 ? vec4(1) : vec4(lessThan(uvec4(0, 1, 2, 3), uvec4(left))); }
float sumOf(vec4 four) { return four.x + four.y + (four.z + four.w); }
