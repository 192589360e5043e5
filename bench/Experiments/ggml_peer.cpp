// Products and whole DeiT of fp32 in ggml, with weights of noise.
//   ggml_peer SECONDS M N K [M N K ...]      prints "M N K GFLOP/s spread", the median and how far the quartiles lie apart: products
//                                            by the Vulkan backend as a linear layer makes them, M rows of K inputs, N x K weights
//   ggml_peer cpu|vulkan SECONDS "THREADS ..." "BATCH ..." MODEL ...      prints JSON: inference as deit bench infer measures ours
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml.h"

#include "peer.h"

static void set_noise(ggml_tensor * tensor, float scale) {
    std::vector<float> values(ggml_nelements(tensor));
    noise(values.data(), values.size(), scale);
    ggml_backend_tensor_set(tensor, values.data(), 0, ggml_nbytes(tensor));
}

static void product(ggml_backend_t backend, double duration, int64_t m, int64_t n, int64_t k) {
    ggml_context * context = ggml_init({ ggml_tensor_overhead() * 8 + ggml_graph_overhead(), nullptr, true });
    ggml_tensor * weight = ggml_new_tensor_2d(context, GGML_TYPE_F32, k, n);
    ggml_tensor * input = ggml_new_tensor_2d(context, GGML_TYPE_F32, k, m);
    ggml_tensor * product = ggml_mul_mat(context, weight, input);
    ggml_mul_mat_set_prec(product, GGML_PREC_F32);
    ggml_cgraph * graph = ggml_new_graph(context);
    ggml_build_forward_expand(graph, product);
    ggml_backend_buffer_t memory = ggml_backend_alloc_ctx_tensors(context, backend);
    set_noise(weight, 1);
    set_noise(input, 1);
    Timing time = timed([&] { ggml_backend_graph_compute(backend, graph); }, duration);
    printf("%lld %lld %lld %.2f %.3f\n", (long long) m, (long long) n, (long long) k, 2e-9 * m * n * k / time.seconds, time.spread);
    ggml_backend_buffer_free(memory);
    ggml_free(context);
}

// A DeiT at a batch. Extents stand in ggml's order, the innermost first.
class Deit {
  public:
    // flash: attention by one op, else by products and softmax.
    Deit(ggml_backend_t backend, const Model & model, int batch, bool flash)
        : backend(backend), dim(model.dim), heads(model.heads), batch(batch), flash(flash) {
        weights = ggml_init({ ggml_tensor_overhead() * 512, nullptr, true });
        context = ggml_init({ ggml_tensor_overhead() * 2048 + ggml_graph_overhead(), nullptr, true });
        images = weight(image, image, 3, batch);
        logits = forward();
        graph = ggml_new_graph(context);
        ggml_build_forward_expand(graph, logits);
        memory = ggml_backend_alloc_ctx_tensors(weights, backend);
        ggml_set_output(logits);
        allocator = ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend));
        ggml_gallocr_alloc_graph(allocator, graph);
        for (ggml_tensor * tensor = ggml_get_first_tensor(weights); tensor; tensor = ggml_get_next_tensor(weights, tensor))
            set_noise(tensor, tensor == images ? 3.46f : 0.07f);
    }

    ~Deit() {
        ggml_gallocr_free(allocator);
        ggml_backend_buffer_free(memory);
        ggml_free(context);
        ggml_free(weights);
    }

    bool supported() const {
        for (int i = 0; i < ggml_graph_n_nodes(graph); i++)
            if (!ggml_backend_supports_op(backend, ggml_graph_node(graph, i)))
                return false;
        return true;
    }

    void run() {
        if (ggml_backend_graph_compute(backend, graph) != GGML_STATUS_SUCCESS) {
            fprintf(stderr, "ggml_peer: ggml did not compute the network\n");
            exit(1);
        }
    }

  private:
    ggml_tensor * weight(int a, int b = 1, int c = 1, int d = 1) { return ggml_new_tensor_4d(weights, GGML_TYPE_F32, a, b, c, d); }

    ggml_tensor * multiply(ggml_tensor * a, ggml_tensor * b) {
        ggml_tensor * product = ggml_mul_mat(context, a, b);
        ggml_mul_mat_set_prec(product, GGML_PREC_F32);
        return product;
    }

    ggml_tensor * linear(ggml_tensor * x, int from, int to) { return ggml_add(context, multiply(weight(from, to), x), weight(to)); }

    ggml_tensor * norm(ggml_tensor * x) {
        return ggml_add(context, ggml_mul(context, ggml_norm(context, x, epsilon), weight(dim)), weight(dim));
    }

    ggml_tensor * attention(ggml_tensor * x) {
        int width = dim / heads;
        ggml_tensor * qkv = linear(x, dim, 3 * dim); // [3 C, T, B]
        ggml_tensor * parts[3]; // [D, H, T, B] each
        for (int i = 0; i < 3; i++)
            parts[i] = ggml_view_4d(context, qkv, width, heads, tokens, batch, width * sizeof(float), qkv->nb[1], qkv->nb[2], i * dim * sizeof(float));
        ggml_tensor * q = ggml_permute(context, parts[0], 0, 2, 1, 3); // [D, T, H, B]
        ggml_tensor * k = ggml_permute(context, parts[1], 0, 2, 1, 3);
        float scale = 1 / std::sqrt((float) width);
        ggml_tensor * y;
        if (flash) {
            y = ggml_flash_attn_ext(context, q, k, ggml_permute(context, parts[2], 0, 2, 1, 3), nullptr, scale, 0, 0); // [D, H, T, B]
            ggml_flash_attn_ext_set_prec(y, GGML_PREC_F32);
        } else {
            ggml_tensor * shares = ggml_soft_max_ext(context, multiply(k, q), nullptr, scale, 0); // [T, T, H, B]
            ggml_tensor * v = ggml_cont(context, ggml_permute(context, parts[2], 1, 2, 0, 3)); // [T, D, H, B]
            y = ggml_cont(context, ggml_permute(context, multiply(v, shares), 0, 2, 1, 3)); // [D, H, T, B]
        }
        return linear(ggml_reshape_3d(context, y, dim, tokens, batch), dim, dim);
    }

    ggml_tensor * forward() {
        // Pixels of a patch side by side: the convolution is a product.
        ggml_tensor * kernel = weight(patch, patch, 3, dim);
        ggml_tensor * x = ggml_im2col(context, kernel, images, patch, patch, 0, 0, 1, 1, true, GGML_TYPE_F32);
        x = ggml_reshape_3d(context, x, 3 * patch * patch, patches, batch);
        x = ggml_add(context, multiply(ggml_reshape_2d(context, kernel, 3 * patch * patch, dim), x), weight(dim)); // [C, 196, B]
        x = ggml_concat(context, ggml_repeat_4d(context, weight(dim), dim, 1, batch, 1), x, 1);
        x = ggml_add(context, x, weight(dim, tokens)); // [C, T, B]
        for (int block = 0; block < depth; block++) {
            x = ggml_add(context, x, attention(norm(x)));
            x = ggml_add(context, x, linear(ggml_gelu_erf(context, linear(norm(x), dim, 4 * dim)), 4 * dim, dim));
        }
        x = ggml_cont(context, ggml_view_2d(context, x, dim, batch, x->nb[2], 0)); // the class tokens
        return linear(norm(x), dim, classes);
    }

    ggml_backend_t backend;
    int dim, heads, batch;
    bool flash;
    ggml_context *weights, *context;
    ggml_tensor *images, *logits;
    ggml_cgraph * graph;
    ggml_backend_buffer_t memory;
    ggml_gallocr_t allocator;
};

// The first backend of a name, CPU or Vulkan; null where this build of ggml has none or there is no device.
static ggml_backend_t backend_of(const char * name) {
    ggml_backend_load_all();
    for (size_t i = 0; i < ggml_backend_dev_count(); i++)
        if (strcmp(ggml_backend_reg_name(ggml_backend_dev_backend_reg(ggml_backend_dev_get(i))), name) == 0)
            return ggml_backend_dev_init(ggml_backend_dev_get(i), nullptr);
    return nullptr;
}

static void set_threads(ggml_backend_t backend, int threads) {
    ggml_backend_reg_t registry = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
    auto set = (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(registry, "ggml_backend_set_n_threads");
    set(backend, threads);
}

// The faster way of attention stands.
static Timing measure(ggml_backend_t backend, const Model & model, int batch, double seconds) {
    Timing best = { 1e30, 0, 0 };
    for (bool flash : { false, true }) {
        Deit deit(backend, model, batch, flash);
        if (!deit.supported())
            continue;
        Timing time = timed([&] { deit.run(); }, seconds);
        fprintf(stderr, "attention by %s: %.1f images/s\n", flash ? "one op" : "products and softmax", batch / time.seconds);
        if (time.seconds < best.seconds)
            best = time;
    }
    if (best.seconds == 1e30) {
        fprintf(stderr, "ggml_peer: the backend computes neither way of attention\n");
        exit(1);
    }
    return best;
}

int main(int argc, char ** argv) {
    bool whole = argc > 1 && (strcmp(argv[1], "cpu") == 0 || strcmp(argv[1], "vulkan") == 0);
    if (whole ? argc < 6 : argc < 5 || argc % 3 != 2) {
        fprintf(stderr, "ggml_peer: expected SECONDS and triples M N K, or cpu|vulkan SECONDS \"THREADS ...\" \"BATCH ...\" MODEL ...\n");
        return 1;
    }
    bool vulkan = !whole || strcmp(argv[1], "vulkan") == 0;
    ggml_backend_t backend = backend_of(vulkan ? "Vulkan" : "CPU");
    if (!backend) {
        fprintf(stderr, "ggml_peer: this build of ggml has no backend %s, or finds no device for it\n", vulkan ? "Vulkan" : "CPU");
        return 1;
    }
    if (whole) {
        Report report;
        for (int i = 5; i < argc; i++)
            for (int batch : numbers(argv[4]))
                for (int threads : vulkan ? std::vector<int>{ 0 } : numbers(argv[3])) {
                    if (!vulkan)
                        set_threads(backend, threads);
                    report.add(find(argv[i]), batch, threads, measure(backend, find(argv[i]), batch, atof(argv[2])));
                }
        const char * device = ggml_backend_dev_description(ggml_backend_get_device(backend));
        report.print(device, std::string("ggml ") + ggml_version() + " (" + ggml_commit() + ")" + (vulkan ? ", Vulkan" : ""));
    } else {
        for (int i = 2; i < argc; i += 3)
            product(backend, atof(argv[1]), atoll(argv[i]), atoll(argv[i + 1]), atoll(argv[i + 2]));
    }
    ggml_backend_free(backend);
}
