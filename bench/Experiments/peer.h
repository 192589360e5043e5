// What the peers in C++ share: DeiT's sizes, noise, timing as deit bench does it, and the JSON that deit bench compare reads.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

struct Model {
    const char * name;
    int dim, heads;
};

static const Model models[] = {
    { "deit_tiny_patch16_224", 192, 3 }, { "deit_small_patch16_224", 384, 6 }, { "deit_base_patch16_224", 768, 12 } };
static const int depth = 12, image = 224, patch = 16, patches = 196, tokens = patches + 1, classes = 1000;
static const float epsilon = 1e-6f;

struct Timing {
    double seconds, spread, cpu; // of a run; the spread is that of the quartiles as a share of the median
};

static double wall() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// User and system time of all threads of this process.
static double cpu() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

template <class Run> static Timing timed(Run run, double seconds) {
    const int repetitions = 7;
    double one;
    for (double begin = wall(); one = wall(), run(), one = wall() - one, wall() - begin < 1;) { }
    int count = std::max(1, (int) (seconds / repetitions / one));
    std::vector<double> times;
    double before = cpu();
    for (int repetition = 0; repetition < repetitions; repetition++) {
        double start = wall();
        for (int i = 0; i < count; i++)
            run();
        times.push_back((wall() - start) / count);
    }
    double used = (cpu() - before) / (count * repetitions);
    std::sort(times.begin(), times.end());
    double median = times[repetitions / 2];
    return { median, (times[repetitions * 3 / 4] - times[repetitions / 4]) / median, used };
}

// Values as large as those of an untrained model. Zeros or subnormal numbers would be faster or slower.
static void noise(float * values, size_t count, float scale) {
    static uint32_t state = 1;
    for (size_t i = 0; i < count; i++)
        values[i] = (((state = state * 1664525u + 1013904223u) >> 8) / 16777216.0f - 0.5f) * scale;
}

static std::vector<int> numbers(const char * text) {
    std::vector<int> found;
    std::istringstream stream(text);
    for (int number; stream >> number;)
        found.push_back(number);
    return found;
}

static const Model & find(const char * name) {
    for (const Model & model : models)
        if (strcmp(model.name, name) == 0)
            return model;
    fprintf(stderr, "'%s' is no DeiT, expected %s, %s or %s\n", name, models[0].name, models[1].name, models[2].name);
    exit(1);
}

// The rows of a report, which is written at the end.
class Report {
  public:
    // threads: 0 where none were asked for.
    void add(const Model & model, int batch, int threads, Timing time) {
        char row[512];
        snprintf(row, sizeof row,
            "%s\n    { \"model\": \"%s\", \"task\": \"infer\", \"precision\": \"fp32\", \"batch\": %d, \"images_per_second\": %.6g, "
            "\"milliseconds\": %.6g, \"spread\": %.4f, \"cpu_milliseconds_per_image\": %.6g",
            rows.empty() ? "" : ",", model.name, batch, batch / time.seconds, 1e3 * time.seconds, time.spread, 1e3 * time.cpu / batch);
        rows += row + (threads > 0 ? ", \"threads\": " + std::to_string(threads) : "") + " }";
        fprintf(stderr, "%s, batch %d, %d threads: %.1f images/s\n", model.name, batch, threads, batch / time.seconds);
    }

    void print(const std::string & device, const std::string & driver) const {
        printf("{\n  \"device\": \"%s\",\n  \"driver\": \"%s\",\n  \"rows\": [%s\n  ]\n}\n", device.c_str(), driver.c_str(), rows.c_str());
    }

  private:
    std::string rows;
};
