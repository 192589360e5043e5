#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// sums[firstChunk + chunk] = scale * sum over the chunk of x, or of x^2; a subgroup owns a chunk. Run on its own output it ends the sum.
layout(push_constant) uniform Push { uint count; uint perChunk; uint firstChunk; uint square; float scale; };
layout(binding = 0) readonly buffer X { float x[]; };          // [count]
layout(binding = 1) writeonly buffer Sums { float sums[]; };   // [chunks]

float term(uint i) { return square != 0 ? x[i] * x[i] : x[i]; }

void main()
{
    uint chunk = rowIndex();
    uint start = chunk * perChunk;
    if (start >= count)
        return;
    uint end = min(count, start + perChunk), step = rowLanes(), i = start + gl_SubgroupInvocationID;
    // Four sums at a time keep as many loads in flight, and a quarter of the roundings in each.
    vec4 sum = vec4(0);
    for (; i + 3 * step < end; i += 4 * step)
        sum += vec4(term(i), term(i + step), term(i + 2 * step), term(i + 3 * step));
    for (; i < end; i += step)
        sum.x += term(i);
    float total = subgroupAdd((sum.x + sum.y) + (sum.z + sum.w));
    if (subgroupElect())
        sums[firstChunk + chunk] = scale * total;
}
