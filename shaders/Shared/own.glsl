// For CPU drivers, which run the lanes of a subgroup as one vector. Who includes this has SG, the number of lanes, as a constant.
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Shared { float value[]; };

// A lane's own of SG neighbours. The driver's compiler makes one vector load of the loads, in a loop that tests before it runs.
float own(uint64_t from)
{
    float mine = Shared(from).value[0];
    [[unroll]] for (uint i = 1; i < SG; i++)
    {
        float value = Shared(from).value[i];
        mine = gl_SubgroupInvocationID == i ? value : mine;
    }
    return mine;
}

// The same of a tensor whose address has its name, and writing them. `at` is the place of lane 0, and each lane counts it by itself: see
// matmul.columns.comp. The driver runs a loop's body once more after its last round, and the body of a workgroup that has nothing to do. What
// they read may lie past the end of a tensor. So memory goes on for MemoryBlock.Slack bytes after each tensor; what is read there is never used.
layout(buffer_reference, std430, buffer_reference_align = 4) writeonly buffer Written { float value[]; };
#define OWN(tensor, at) own(tensor##Address + subgroupBroadcast(at, 0) * 4ul)
#define STORE_OWN(tensor, at, mine) Written(tensor##Address + subgroupBroadcast(at, 0) * 4ul).value[gl_SubgroupInvocationID] = mine
#define SHARED_BY_LANES(value) subgroupBroadcast(value, 0)
// A row that is there in any case.
#define ROW_WITHIN(row, rows) min(subgroupBroadcast(row, 0), (rows) - 1)
