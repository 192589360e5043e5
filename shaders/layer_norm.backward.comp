#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
#include "storage.glsl"
#include "reduce.glsl"
// g = dy * weight; dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), one workgroup a row
layout(push_constant) uniform Push { uint rows; uint columns; uint accumulate; };
layout(binding = 0) readonly buffer X { STREAM x[]; };
layout(binding = 1) readonly buffer Weight { float weight[]; };
layout(binding = 2) readonly buffer Statistics { vec2 statistics[]; };
layout(binding = 3) readonly buffer Dy { ELEMENT dy[]; };
layout(binding = 4) buffer Dx { STREAM dx[]; };

void main()
{
    uint row = workgroupIndex();
    if (row >= rows)
        return;
    uint start = row * columns;
    vec2 meanRstd = statistics[row];
    float sumG = 0, sumGX = 0;
    FOR_EACH_COLUMN(i, columns)
    {
        float g = LOAD(dy[start + i]) * weight[i];
        sumG += g;
        sumGX += g * (LOAD_STREAM(x[start + i]) - meanRstd.x);
    }
    float meanG = workgroupSum(sumG) / columns;
    float meanGX = workgroupSum(sumGX) * meanRstd.y / columns;
    FOR_EACH_COLUMN(i, columns)
    {
        float xhat = (LOAD_STREAM(x[start + i]) - meanRstd.x) * meanRstd.y;
        float value = meanRstd.y * (LOAD(dy[start + i]) * weight[i] - meanG - xhat * meanGX);
        dx[start + i] = STORE_STREAM(accumulate != 0 ? LOAD_STREAM(dx[start + i]) + value : value);
    }
}
