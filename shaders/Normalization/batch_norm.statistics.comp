#version 460
#extension GL_GOOGLE_include_directive : require
// Joins the moments of a channel's planes (Chan et al.: equal counts) and moves the running statistics; an invocation owns a channel.
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push { uint channels; uint batch; uint pixels; float momentum; float epsilon; };
layout(binding = 0) readonly buffer Moments { vec2 moments[]; };         // [channels, batch] mean, sum of squared deviations
layout(binding = 1) buffer RunningMean { float runningMean[]; };         // [channels]
layout(binding = 2) buffer RunningVariance { float runningVariance[]; }; // [channels], unbiased
layout(binding = 3) writeonly buffer Statistics { vec2 statistics[]; };  // [channels] mean, rstd

void main()
{
    uint channel = gl_GlobalInvocationID.x;
    if (channel >= channels)
        return;
    float mean = 0;
    for (uint b = 0; b < batch; b++)
        mean += moments[channel * batch + b].x;
    mean /= batch;
    float squares = 0;
    for (uint b = 0; b < batch; b++)
    {
        vec2 plane = moments[channel * batch + b];
        squares += plane.y + pixels * (plane.x - mean) * (plane.x - mean);
    }
    float count = float(batch) * pixels;
    statistics[channel] = vec2(mean, inversesqrt(squares / count + epsilon));
    runningMean[channel] = mix(runningMean[channel], mean, momentum);
    runningVariance[channel] = mix(runningVariance[channel], squares / (count - 1), momentum);
}
