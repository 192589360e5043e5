// Products of fp32 through ggml's Vulkan backend, as a linear layer makes them: M rows of K inputs, N x K weights.
//   ggml_peer SECONDS M N K [M N K ...]      prints "M N K GFLOP/s spread", the median and how far the quartiles lie apart
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-vulkan.h"
#include "ggml.h"

static double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

static void measure(ggml_backend_t backend, double duration, int64_t m, int64_t n, int64_t k) {
    ggml_context * context = ggml_init({ ggml_tensor_overhead() * 8 + ggml_graph_overhead(), nullptr, true });
    ggml_tensor * weight = ggml_new_tensor_2d(context, GGML_TYPE_F32, k, n);
    ggml_tensor * input = ggml_new_tensor_2d(context, GGML_TYPE_F32, k, m);
    ggml_tensor * product = ggml_mul_mat(context, weight, input);
    ggml_mul_mat_set_prec(product, GGML_PREC_F32);
    ggml_cgraph * graph = ggml_new_graph(context);
    ggml_build_forward_expand(graph, product);
    ggml_backend_buffer_t memory = ggml_backend_alloc_ctx_tensors(context, backend);
    std::vector<float> noise(k * std::max(m, n));
    uint32_t state = 1;
    for (float & value : noise)
        value = ((state = state * 1664525u + 1013904223u) >> 8) / 16777216.0f - 0.5f;
    ggml_backend_tensor_set(weight, noise.data(), 0, ggml_nbytes(weight));
    ggml_backend_tensor_set(input, noise.data(), 0, ggml_nbytes(input));
    ggml_backend_graph_compute(backend, graph); // compiles
    std::vector<double> rates;
    for (double start = seconds(); seconds() - start < duration || rates.size() < 5;) {
        double before = seconds();
        ggml_backend_graph_compute(backend, graph);
        rates.push_back(2.0 * m * n * k / (seconds() - before) / 1e9);
    }
    std::sort(rates.begin(), rates.end());
    double median = rates[rates.size() / 2];
    printf("%lld %lld %lld %.2f %.3f\n", (long long) m, (long long) n, (long long) k, median, (rates[rates.size() * 3 / 4] - rates[rates.size() / 4]) / median);
    ggml_backend_buffer_free(memory);
    ggml_free(context);
}

int main(int argc, char ** argv) {
    if (argc < 5 || argc % 3 != 2) {
        fprintf(stderr, "ggml_peer: expected SECONDS and triples M N K\n");
        return 1;
    }
    ggml_backend_t backend = ggml_backend_vk_init(0);
    for (int i = 2; i < argc; i += 3)
        measure(backend, atof(argv[1]), atoll(argv[i]), atoll(argv[i + 1]), atoll(argv[i + 2]));
    ggml_backend_free(backend);
}
