// Sums and maxima over a workgroup in a fixed order, for any subgroup size. Every invocation gets the result.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x_id = 0) in;

shared float reduceScratch[128];

float workgroupSum(float value)
{
    value = subgroupAdd(value);
    if (gl_NumSubgroups == 1)
        return value;
    barrier();
    if (subgroupElect())
        reduceScratch[gl_SubgroupID] = value;
    barrier();
    value = 0;
    for (uint i = 0; i < gl_NumSubgroups; i++)
        value += reduceScratch[i];
    return value;
}

float workgroupMax(float value)
{
    value = subgroupMax(value);
    if (gl_NumSubgroups == 1)
        return value;
    barrier();
    if (subgroupElect())
        reduceScratch[gl_SubgroupID] = value;
    barrier();
    value = reduceScratch[0];
    for (uint i = 1; i < gl_NumSubgroups; i++)
        value = max(value, reduceScratch[i]);
    return value;
}

// The row that a workgroup works on, over x and y of the grid.
uint workgroupIndex() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }
#define FOR_EACH_COLUMN(i, columns) for (uint i = gl_LocalInvocationID.x; i < columns; i += gl_WorkGroupSize.x)
