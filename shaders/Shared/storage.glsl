// The element type of a tensor: float, or with -DF16 or -DBF16 one of 16 bits, in which nothing is computed: LOAD and STORE convert at
// each access, LOAD4 and STORE4 four neighbours at once. bfloat16 is moved as bits, so that it needs no extension of the device but 16-bit storage.
#if defined(F16)
#extension GL_EXT_shader_16bit_storage : require
#define ELEMENT float16_t
#define ELEMENT4 f16vec4
#define LOAD(value) float(value)
#define STORE(value) float16_t(value)
#define LOAD4(value) vec4(value)
#define STORE4(value) f16vec4(value)
#elif defined(BF16)
#extension GL_EXT_shader_16bit_storage : require
#include "half.glsl"
#define ELEMENT uint16_t
#define ELEMENT4 u16vec4
#define LOAD(value) decodeBF16(uint(value))
#define STORE(value) uint16_t(encodeBF16(value))
#define LOAD4(value) decodeBF16(uvec4(value))
#define STORE4(value) u16vec4(encodeBF16(value))
#else
#define ELEMENT float
#define ELEMENT4 vec4
#define LOAD(value) (value)
#define STORE(value) (value)
#define LOAD4(value) (value)
#define STORE4(value) (value)
#endif
// The element type of the residual stream: float, or with -DSTREAM16 that of the other activations.
#ifdef STREAM16
#define STREAM ELEMENT
#define STREAM4 ELEMENT4
#define LOAD_STREAM(value) LOAD(value)
#define STORE_STREAM(value) STORE(value)
#define LOAD_STREAM4(value) LOAD4(value)
#define STORE_STREAM4(value) STORE4(value)
#else
#define STREAM float
#define STREAM4 vec4
#define LOAD_STREAM(value) (value)
#define STORE_STREAM(value) (value)
#define LOAD_STREAM4(value) (value)
#define STORE_STREAM4(value) (value)
#endif
