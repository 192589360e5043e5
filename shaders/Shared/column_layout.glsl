// Sums over the rows of a matrix: a workgroup has a chunk of rows and COLUMN_LANES times four columns, of which ROW_LANES invocations each take
// every ROW_LANES-th row. A CPU driver has one of them, and no use for shared memory.
layout(local_size_x_id = 0) in;
#ifdef BY_ADDRESS
const uint COLUMN_LANES = SG, ROW_LANES = 1;  // see four.glsl
#else
layout(constant_id = 2) const uint COLUMN_LANES = 64;
layout(constant_id = 3) const uint ROW_LANES = 1;  // a power of two
#endif

shared vec4 laneSums[ROW_LANES == 1 ? 1 : COLUMN_LANES * ROW_LANES];

#ifdef BY_ADDRESS
// The first column of all lanes, and the same row for each, see four.glsl.
uint firstColumn() { return gl_WorkGroupID.x * COLUMN_LANES * 4; }
uint rowLane() { return gl_SubgroupInvocationID / COLUMN_LANES; }
#else
uint firstColumn() { return (gl_WorkGroupID.x * COLUMN_LANES + (ROW_LANES == 1 ? gl_LocalInvocationID.x : gl_LocalInvocationID.x % COLUMN_LANES)) * 4; }
uint rowLane() { return ROW_LANES == 1 ? 0 : gl_LocalInvocationID.x / COLUMN_LANES; }
#endif

// The sum over the row lanes in a fixed order, for the first of them. All invocations of a workgroup take part.
vec4 sumOfRowLanes(vec4 sum)
{
    if (ROW_LANES == 1)
        return sum;
    uint lane = gl_LocalInvocationID.x;
    barrier();  // what an earlier sum left was read
    laneSums[lane] = sum;
    for (uint lanes = ROW_LANES / 2; lanes > 0; lanes /= 2)
    {
        barrier();
        if (lane < lanes * COLUMN_LANES)
            laneSums[lane] += laneSums[lane + lanes * COLUMN_LANES];
    }
    return laneSums[lane];
}

// Whether an invocation has nothing to do; one that others wait for in a sum has.
bool outside(uint column, uint columns) { return ROW_LANES == 1 && column >= columns; }
// Its rows of a chunk; none after the last column.
#define FOR_EACH_ROW(row, column, columns, chunk, rowsPerChunk, rows) \
    for (uint row = (chunk) * (rowsPerChunk) + rowLane(), end = ROW_LANES == 1 || (column) < (columns) ? min(rows, ((chunk) + 1) * (rowsPerChunk)) : 0; row < end; row += ROW_LANES)
