#version 460
#extension GL_GOOGLE_include_directive : require
// statistics = (running mean, 1 / sqrt(running variance + epsilon)); an invocation owns a channel
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push { uint channels; float epsilon; };
layout(binding = 0) readonly buffer RunningMean { float runningMean[]; };          // [channels]
layout(binding = 1) readonly buffer RunningVariance { float runningVariance[]; };  // [channels]
layout(binding = 2) writeonly buffer Statistics { vec2 statistics[]; };            // [channels] mean, rstd

void main()
{
    uint channel = gl_GlobalInvocationID.x;
    if (channel < channels)
        statistics[channel] = vec2(runningMean[channel], inversesqrt(runningVariance[channel] + epsilon));
}
