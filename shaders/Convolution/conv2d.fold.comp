#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// The transpose of conv2d.unfold: dx[firstChannel + c, b, y, x] = sum over the taps (ky, kx) that read it, in their order;
// one subgroup a plane of dx
layout(push_constant) uniform Push { uint rows; uint firstChannel; uint batch; uint height; uint width; uint outHeight; uint outWidth; uint kernel; uint stride; int padding; uint accumulate; };
layout(binding = 0) readonly buffer Columns { float columns[]; };  // [(c, ky, kx), batch, outHeight * outWidth]
layout(binding = 1) buffer Dx { float dx[]; };                     // [channels, batch, height, width]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint image = row % batch, channel = row / batch, pixels = height * width, outPixels = outHeight * outWidth;
    uint target = ((firstChannel + channel) * batch + image) * pixels;
    FOR_EACH_COLUMN(i, pixels)
    {
        int y = int(i / width) + padding, x = int(i % width) + padding;
        float sum = 0;
        for (uint ky = 0; ky < kernel; ky++)
        {
            int fromY = y - int(ky);
            if (fromY < 0 || fromY % int(stride) != 0 || fromY / int(stride) >= int(outHeight))
                continue;
            for (uint kx = 0; kx < kernel; kx++)
            {
                int fromX = x - int(kx);
                if (fromX < 0 || fromX % int(stride) != 0 || fromX / int(stride) >= int(outWidth))
                    continue;
                uint tap = (channel * kernel + ky) * kernel + kx;
                sum += columns[(tap * batch + image) * outPixels + uint(fromY) / stride * outWidth + uint(fromX) / stride];
            }
        }
        dx[target + i] = accumulate != 0 ? dx[target + i] + sum : sum;
    }
}
