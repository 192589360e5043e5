#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// loss = tau^2 * sum(p_t * (log p_t - log p_s)), p = softmax(z / tau), one subgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; float inverseTau; };
layout(binding = 0) readonly buffer Student { float student[]; };         // [rows, columns]
layout(binding = 1) readonly buffer Teacher { float teacher[]; };         // [rows, columns]
layout(binding = 2) writeonly buffer Losses { float losses[]; };          // [rows]
layout(binding = 3) writeonly buffer Statistics { vec4 statistics[]; };   // [rows] max and sum of exp of student and of teacher

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    float maxS = student[start], maxT = teacher[start];
    FOR_EACH_COLUMN(i, columns)
    {
        maxS = max(maxS, student[start + i]);
        maxT = max(maxT, teacher[start + i]);
    }
    maxS = subgroupMax(maxS);
    maxT = subgroupMax(maxT);
    float sumS = 0, sumT = 0;
    FOR_EACH_COLUMN(i, columns)
    {
        sumS += exp((student[start + i] - maxS) * inverseTau);
        sumT += exp((teacher[start + i] - maxT) * inverseTau);
    }
    sumS = subgroupAdd(sumS);
    sumT = subgroupAdd(sumT);
    float divergence = 0;
    FOR_EACH_COLUMN(i, columns)
    {
        float t = (teacher[start + i] - maxT) * inverseTau, s = (student[start + i] - maxS) * inverseTau;
        divergence += exp(t) / sumT * ((t - s) - log(sumT / sumS));
    }
    divergence = subgroupAdd(divergence);
    if (subgroupElect())
    {
        losses[row] = divergence / (inverseTau * inverseTau);
        statistics[row] = vec4(maxS, sumS, maxT, sumT);
    }
}
