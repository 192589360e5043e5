// What a product does with the sum of C[m, n] on its way to memory, in this order:
//
//   z = sum (+ bias[n])
//   Z = z                       PRE_ACTIVATION
//   z = gelu(z)                 GELU
//   z = z * gelu'(E)            GELU_DERIVATIVE
//   z = z * scale[sample of m]  SCALE
//   z = z + E                   RESIDUAL
//   C = z (+ C)                 ACCUMULATE
//
// Z and E lie as C does and have its type: that of storage.glsl with -DRESULT16, else float. EPILOGUE is a specialization constant and no
// push constant, because on CPU drivers a branch costs what it guards. Who includes this defines its number, EPILOGUE_ID, and the first
// of five bindings, EPILOGUE_BINDING, and has rowsPerSample among its push constants. What EPILOGUE leaves out is never touched.
#include "../Shared/erf.glsl"
layout(constant_id = EPILOGUE_ID) const uint EPILOGUE = 0;
const uint ACCUMULATE = 1, BIAS = 2, GELU = 4, PRE_ACTIVATION = 8, GELU_DERIVATIVE = 16, SCALE = 32, RESIDUAL = 64;
const uint FOURS = 128;  // N is a multiple of four, and the kernel calls finish4

#ifdef RESULT16
#define RESULT ELEMENT
#define RESULT4 ELEMENT4
#define LOAD_RESULT(value) LOAD(value)
#define LOAD_RESULT4(value) LOAD4(value)
#define STORE_RESULT(value) STORE(value)
#define STORE_RESULT4(value) STORE4(value)
#else
#define RESULT float
#define RESULT4 vec4
#define LOAD_RESULT(value) (value)
#define LOAD_RESULT4(value) (value)
#define STORE_RESULT(value) (value)
#define STORE_RESULT4(value) (value)
#endif

layout(binding = EPILOGUE_BINDING) readonly buffer Bias_ { float bias[]; };                // [N]
layout(binding = EPILOGUE_BINDING) readonly buffer Bias4_ { vec4 bias4[]; };
layout(binding = EPILOGUE_BINDING + 1) buffer C_ { RESULT C[]; };                          // [batch, M, N]
layout(binding = EPILOGUE_BINDING + 1) buffer C4_ { RESULT4 C4[]; };
layout(binding = EPILOGUE_BINDING + 2) writeonly buffer Z_ { RESULT Z[]; };
layout(binding = EPILOGUE_BINDING + 2) writeonly buffer Z4_ { RESULT4 Z4[]; };
#ifdef BY_ADDRESS  // E has an address in place of a binding
layout(binding = EPILOGUE_BINDING + 3) readonly buffer Scale_ { float scale[]; };          // [M / rowsPerSample]
#else
layout(binding = EPILOGUE_BINDING + 3) readonly buffer E_ { RESULT E[]; };
layout(binding = EPILOGUE_BINDING + 3) readonly buffer E4_ { RESULT4 E4[]; };
#define ELEMENT_OF_E(at) LOAD_RESULT(E[at])
layout(binding = EPILOGUE_BINDING + 4) readonly buffer Scale_ { float scale[]; };          // [M / rowsPerSample]
#endif

#ifndef BIAS_OF
#define BIAS_OF(n) bias[n]
#endif

// What C[m, n] becomes, which is element `at` of its buffer. Writes Z, but not C.
float finished(uint m, uint n, uint at, float z)
{
    if ((EPILOGUE & BIAS) != 0)
        z += BIAS_OF(n);
    if ((EPILOGUE & PRE_ACTIVATION) != 0)
        Z[at] = STORE_RESULT(z);
    if ((EPILOGUE & GELU) != 0)
        z = gelu(z);
    if ((EPILOGUE & GELU_DERIVATIVE) != 0)
        z *= geluDerivative(ELEMENT_OF_E(at));
    if ((EPILOGUE & SCALE) != 0)
        z *= scale[m / rowsPerSample];
    if ((EPILOGUE & RESIDUAL) != 0)
        z += ELEMENT_OF_E(at);
    if ((EPILOGUE & ACCUMULATE) != 0)
        z += LOAD_RESULT(C[at]);
    return z;
}

void finish(uint m, uint n, uint at, float z) { C[at] = STORE_RESULT(finished(m, n, at, z)); }

#ifndef BY_ADDRESS
// The same for C[m, n .. n + 3]; n and `at` are multiples of four.
void finish4(uint m, uint n, uint at, vec4 z)
{
    if ((EPILOGUE & BIAS) != 0)
        z += bias4[n / 4];
    if ((EPILOGUE & PRE_ACTIVATION) != 0)
        Z4[at / 4] = STORE_RESULT4(z);
    if ((EPILOGUE & GELU) != 0)
        [[unroll]] for (uint i = 0; i < 4; i++)
            z[i] = gelu(z[i]);
    if ((EPILOGUE & GELU_DERIVATIVE) != 0)
    {
        vec4 x = LOAD_RESULT4(E4[at / 4]);
        [[unroll]] for (uint i = 0; i < 4; i++)
            z[i] *= geluDerivative(x[i]);
    }
    if ((EPILOGUE & SCALE) != 0)
        z *= scale[m / rowsPerSample];
    if ((EPILOGUE & RESIDUAL) != 0)
        z += LOAD_RESULT4(E4[at / 4]);
    if ((EPILOGUE & ACCUMULATE) != 0)
        z += LOAD_RESULT4(C4[at / 4]);
    C4[at / 4] = STORE_RESULT4(z);
}
#endif
