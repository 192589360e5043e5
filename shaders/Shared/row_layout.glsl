// Rows, each of which has a subgroup to itself, so that sums and maxima over one need no barrier. A workgroup has as many rows as subgroups: one
// where the host cannot ask for subgroups of a size, so that there are rows enough for whatever size they have.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x_id = 0) in;

// The row that a subgroup works on, over x and y of the grid; beyond the last one for those that have none.
uint rowIndex() { return (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_NumSubgroups + gl_SubgroupID; }
// A subgroup that its workgroup does not fill has that one's lanes.
uint rowLanes() { return min(gl_SubgroupSize, gl_WorkGroupSize.x); }
#define FOR_EACH_COLUMN(i, columns) for (uint i = gl_SubgroupInvocationID; i < columns; i += rowLanes())
