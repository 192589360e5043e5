#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// dz_s = dloss * factor * tau * (p_s - p_t), one subgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; float inverseTau; float factor; uint accumulate; };
layout(binding = 0) readonly buffer Student { float student[]; };
layout(binding = 1) readonly buffer Teacher { float teacher[]; };
layout(binding = 2) readonly buffer Statistics { vec4 statistics[]; };
layout(binding = 3) readonly buffer DLoss { float dloss[]; };          // [1]
layout(binding = 4) buffer DStudent { float dstudent[]; };

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    vec4 s = statistics[row];
    float scale = dloss[0] * factor / inverseTau;
    FOR_EACH_COLUMN(i, columns)
    {
        float pS = exp((student[start + i] - s.x) * inverseTau) / s.y, pT = exp((teacher[start + i] - s.z) * inverseTau) / s.w;
        float value = scale * (pS - pT);
        dstudent[start + i] = accumulate != 0 ? dstudent[start + i] + value : value;
    }
}
