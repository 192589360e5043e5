// What changes from step to step: the layout of StepState.cs.
#define STEP_STATE(point) \
    layout(binding = point) readonly buffer StepState \
    { \
        float learningRate; float biasCorrection1; float biasCorrection2Sqrt; float lossScale; \
        uint step; uint seedLow; uint seedHigh; float oneMinusEmaDecay; \
    } stepState
