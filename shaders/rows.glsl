// Rows, each of which has a subgroup of any size to itself, so that sums and maxima over one need no barrier; a workgroup has as many rows as
// subgroups, which have to be full.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x_id = 0) in;

// The row that a subgroup works on, over x and y of the grid; beyond the last one for those that have none.
uint rowIndex() { return (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_NumSubgroups + gl_SubgroupID; }
#define FOR_EACH_COLUMN(i, columns) for (uint i = gl_SubgroupInvocationID; i < columns; i += gl_SubgroupSize)
