// DeiT in ncnn, with weights of noise, as deit bench infer measures ours.
//   ncnn_peer cpu|vulkan SECONDS "THREADS ..." "BATCH ..." MODEL ...      prints JSON
// ncnn has no batches: the pictures of one are computed one after another.
#include <ncnn/datareader.h>
#include <ncnn/gpu.h>
#include <ncnn/net.h>

#include "peer.h"

// Tags of weights are zeros, which is "fp32", and everything else is noise.
class Noise : public ncnn::DataReader {
  public:
    int scan(const char *, void *) const override { return 0; }
    size_t read(void * buffer, size_t size) const override {
        if (size == 4)
            memset(buffer, 0, size);
        else
            noise((float *) buffer, size / 4, 0.07f);
        return size;
    }
};

// A network as text: a layer a line. A blob that two layers read needs a layer that splits it.
class Text {
  public:
    std::string layer(const char * type, const std::vector<std::string> & inputs, const std::string & parameters, int outputs = 1) {
        std::string name = "l" + std::to_string(layers++);
        lines << type << ' ' << name << ' ' << inputs.size() << ' ' << outputs;
        for (const std::string & input : inputs)
            lines << ' ' << input;
        for (int i = 0; i < outputs; i++)
            lines << ' ' << name << (outputs > 1 ? "_" + std::to_string(i) : "");
        lines << ' ' << parameters << '\n';
        blobs += outputs;
        return name;
    }

    std::string linear(const std::string & input, int from, int to) {
        return layer("InnerProduct", { input }, "0=" + std::to_string(to) + " 1=1 2=" + std::to_string(from * to));
    }

    std::string norm(const std::string & input, int dim) {
        char parameters[64];
        snprintf(parameters, sizeof parameters, "0=%d 1=%e 2=1", dim, epsilon);
        return layer("LayerNorm", { input }, parameters);
    }

    std::string text() const { return "7767517\n" + std::to_string(layers) + ' ' + std::to_string(blobs) + '\n' + lines.str(); }

  private:
    int layers = 0, blobs = 0;
    std::ostringstream lines;
};

// [H, W, 3] to logits; blobs are rows of width C.
static std::string deit(const Model & model, std::string & input, std::string & output) {
    Text net;
    std::string dim = std::to_string(model.dim);
    input = net.layer("Input", {}, "");
    std::string x = net.layer("Convolution", { input }, "0=" + dim + " 1=16 3=16 5=1 6=" + std::to_string(model.dim * 3 * patch * patch));
    x = net.layer("Reshape", { x }, "0=" + std::to_string(patches) + " 1=" + dim); // [C, 196]
    x = net.layer("Permute", { x }, "0=1"); // [196, C]
    std::string token = net.layer("MemoryData", {}, "0=" + dim + " 1=1");
    std::string positions = net.layer("MemoryData", {}, "0=" + dim + " 1=" + std::to_string(tokens));
    x = net.layer("Concat", { token, x }, "0=0"); // [197, C]
    x = net.layer("BinaryOp", { x, positions }, "0=0");
    for (int block = 0; block < depth; block++) {
        std::string both = net.layer("Split", { x }, "", 2);
        std::string y = net.norm(both + "_0", model.dim);
        y = net.layer("MultiHeadAttention", { y },
            "0=" + dim + " 1=" + std::to_string(model.heads) + " 2=" + std::to_string(model.dim * model.dim));
        x = net.layer("BinaryOp", { both + "_1", y }, "0=0");
        both = net.layer("Split", { x }, "", 2);
        y = net.linear(net.norm(both + "_0", model.dim), model.dim, 4 * model.dim);
        y = net.linear(net.layer("GELU", { y }, "0=0"), 4 * model.dim, model.dim);
        x = net.layer("BinaryOp", { both + "_1", y }, "0=0");
    }
    x = net.layer("Crop", { x }, "-23309=1,0 -23310=1,1 -23311=1,0"); // the class token, [1, C]
    output = net.linear(net.norm(x, model.dim), model.dim, classes);
    return net.text();
}

static Timing measure(const Model & model, bool vulkan, double seconds, int threads, int batch) {
    ncnn::Net net;
    net.opt.use_vulkan_compute = vulkan;
    net.opt.num_threads = threads;
    // As exact as ours.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = false;
    std::string input, output, text = deit(model, input, output);
    if (net.load_param_mem(text.c_str()) != 0 || net.load_model(Noise()) != 0) {
        fprintf(stderr, "ncnn_peer: ncnn refused the network\n");
        exit(1);
    }
    ncnn::Mat picture(image, image, 3);
    for (int channel = 0; channel < 3; channel++)
        noise(picture.channel(channel), image * image, 3.46f);
    return timed(
        [&] {
            for (int i = 0; i < batch; i++) {
                ncnn::Extractor extractor = net.create_extractor();
                ncnn::Mat logits;
                extractor.input(input.c_str(), picture);
                if (extractor.extract(output.c_str(), logits) != 0 || logits.total() != classes || !(logits[0] == logits[0])) {
                    fprintf(stderr, "ncnn_peer: ncnn did not compute %d logits\n", classes);
                    exit(1);
                }
            }
        },
        seconds);
}

int main(int argc, char ** argv) {
    if (argc < 6) {
        fprintf(stderr, "ncnn_peer: expected cpu|vulkan SECONDS \"THREADS ...\" \"BATCH ...\" MODEL ...\n");
        return 1;
    }
    bool vulkan = strcmp(argv[1], "vulkan") == 0;
    if (vulkan && ncnn::get_gpu_count() == 0) {
        fprintf(stderr, "ncnn_peer: ncnn finds no Vulkan device\n");
        return 1;
    }
    std::string device = vulkan ? ncnn::get_gpu_info(0).device_name() : "the processor";
    Report report;
    for (int i = 5; i < argc; i++)
        for (int batch : numbers(argv[4]))
            for (int threads : vulkan ? std::vector<int>{ 1 } : numbers(argv[3]))
                report.add(find(argv[i]), batch, vulkan ? 0 : threads, measure(find(argv[i]), vulkan, atof(argv[2]), threads, batch));
    report.print(device, std::string("ncnn " NCNN_VERSION_STRING) + (vulkan ? ", Vulkan" : ""));
    ncnn::destroy_gpu_instance();
    return 0;
}
