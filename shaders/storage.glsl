// The element type of a tensor: float, or with -DF16 or -DBF16 one of 16 bits, in which nothing is computed: LOAD and STORE convert at
// each access. bfloat16 is moved as bits, so that it needs no extension of the device but 16-bit storage.
#if defined(F16)
#extension GL_EXT_shader_16bit_storage : require
#define ELEMENT float16_t
#define LOAD(value) float(value)
#define STORE(value) float16_t(value)
#elif defined(BF16)
#extension GL_EXT_shader_16bit_storage : require
#include "half.glsl"
#define ELEMENT uint16_t
#define LOAD(value) decodeBF16(uint(value))
#define STORE(value) uint16_t(encodeBF16(value))
#else
#define ELEMENT float
#define LOAD(value) (value)
#define STORE(value) (value)
#endif
// The element type of the residual stream: float, or with -DSTREAM16 that of the other activations.
#ifdef STREAM16
#define STREAM ELEMENT
#define LOAD_STREAM(value) LOAD(value)
#define STORE_STREAM(value) STORE(value)
#else
#define STREAM float
#define LOAD_STREAM(value) (value)
#define STORE_STREAM(value) (value)
#endif
