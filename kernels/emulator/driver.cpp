// The CUDA driver's own C names over the emulated machine: a binding that runs here runs on the driver.
// Work is done when it is queued; while a stream is captured it is written down instead and done when the graph is launched.
// Handles are counted, so that tests can show that everything is given back. FP_EMULATOR_* functions steer and ask the emulator.
#include "../common.h"
#include "machine.h"
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

typedef int Result;
enum { NO_BINARY_FOR_GPU = 209, SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, NOT_FOUND = 500 };

struct Graph
{
    std::vector<std::function<void()>> work;
};

struct Stream
{
    Graph* capturing;
};

static std::mutex s_lock;
static std::map<uint64_t, size_t> s_blocks;
static size_t s_total = (size_t)8 << 30, s_used;
static int s_devices = 1, s_version = 12040, s_major = 8, s_minor = 0;
static long s_live, s_launches, s_graph_launches;
static thread_local void* s_context;

static Result queue(Stream* stream, std::function<void()> work)
{
    if (!s_context) return INVALID_CONTEXT;
    if (stream && stream->capturing) stream->capturing->work.push_back(std::move(work));
    else work();
    return SUCCESS;
}

static bool inside(uint64_t address, size_t bytes)
{
    auto block = s_blocks.upper_bound(address);
    if (block == s_blocks.begin()) return false;
    --block;
    return address + bytes <= block->first + block->second;
}

API Result cuInit(unsigned) { return s_devices ? SUCCESS : NO_DEVICE; }
API Result cuDriverGetVersion(int* version) { *version = s_version; return SUCCESS; }
API Result cuDeviceGetCount(int* count) { *count = s_devices; return SUCCESS; }
API Result cuDeviceGet(int* device, int ordinal) { *device = ordinal; return ordinal < s_devices ? SUCCESS : INVALID_DEVICE; }
API Result cuDeviceGetName(char* name, int length, int) { strncpy(name, "FramePainter kernel emulator", length); return SUCCESS; }
API Result cuDeviceTotalMem_v2(size_t* bytes, int) { *bytes = s_total; return SUCCESS; }

API Result cuDeviceGetAttribute(int* value, int attribute, int)
{
    switch (attribute)
    {
    case 16: *value = s_major >= 9 ? 2 : 1; return SUCCESS;
    case 75: *value = s_major; return SUCCESS;
    case 76: *value = s_minor; return SUCCESS;
    case 97: *value = 163 << 10; return SUCCESS;
    default: return INVALID_VALUE;
    }
}

API Result cuDevicePrimaryCtxRetain(void** context, int) { *context = &s_blocks; s_live++; return SUCCESS; }
API Result cuDevicePrimaryCtxRelease_v2(int) { s_live--; return SUCCESS; }
API Result cuCtxSetCurrent(void* context) { s_context = context; return SUCCESS; }
API Result cuMemGetInfo_v2(size_t* free, size_t* total) { *free = s_total - s_used; *total = s_total; return SUCCESS; }

API Result cuMemAlloc_v2(uint64_t* address, size_t bytes)
{
    std::lock_guard<std::mutex> hold(s_lock);
    if (!s_context) return INVALID_CONTEXT;
    if (!bytes || s_used + bytes > s_total) return bytes ? OUT_OF_MEMORY : INVALID_VALUE;
    void* block = aligned_alloc(256, (bytes + 255) / 256 * 256);
    memset(block, 0xFF, bytes);
    s_blocks[*address = (uint64_t)block] = bytes;
    s_used += bytes;
    s_live++;
    return SUCCESS;
}

API Result cuMemFree_v2(uint64_t address)
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto block = s_blocks.find(address);
    if (block == s_blocks.end()) return INVALID_VALUE;
    s_used -= block->second;
    s_blocks.erase(block);
    free((void*)address);
    s_live--;
    return SUCCESS;
}

API Result cuMemAllocHost_v2(void** p, size_t bytes) { *p = aligned_alloc(256, (bytes + 255) / 256 * 256); s_live++; return SUCCESS; }
API Result cuMemFreeHost(void* p) { free(p); s_live--; return SUCCESS; }

API Result cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    if (!inside(to, bytes)) return INVALID_VALUE;
    return queue(stream, [=] { memcpy((void*)to, from, bytes); });
}

API Result cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    if (!inside(from, bytes)) return INVALID_VALUE;
    return queue(stream, [=] { memcpy(to, (void*)from, bytes); });
}

API Result cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    if (!inside(to, bytes)) return INVALID_VALUE;
    return queue(stream, [=] { memset((void*)to, value, bytes); });
}

// A module is any image; its functions are the kernels compiled in beside this file, where the image names them.
API Result cuModuleLoadData(void** module, const void* image)
{
    std::string text((const char*)image);
    if (text.find(".version") == std::string::npos) return INVALID_IMAGE;
    if (text.find(".target sm_90a") != std::string::npos && (s_major != 9 || s_minor != 0)) return NO_BINARY_FOR_GPU;
    *module = new std::string(std::move(text));
    s_live++;
    return SUCCESS;
}

API Result cuModuleUnload(void* module) { delete (std::string*)module; s_live--; return SUCCESS; }

API Result cuModuleGetFunction(void** function, void* module, const char* name)
{
    auto& text = *(std::string*)module;
    if (text.find(std::string(".entry ") + name + "(") == std::string::npos) return NOT_FOUND;
    *function = emulator::find(name);
    return *function ? SUCCESS : NOT_FOUND;
}

API Result cuFuncSetAttribute(void*, int, int) { return SUCCESS; }

API Result cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, Stream* stream, void** parameters, void**)
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto kernel = (emulator::Kernel*)function;
    if (!gx || !gy || !gz || gy > 65535 || gz > 65535 || by != 1 || bz != 1 || (int)bx > kernel->most_threads || shared > (strncmp(kernel->name, "hopper_", 7) ? 163 : 227) << 10) return INVALID_VALUE;
    // Like the driver, take the parameters when the launch is queued.
    auto argument = (const unsigned char*)parameters[0];
    std::vector<unsigned char> copied(argument, argument + kernel->argument_bytes);
    return queue(stream, [=]() mutable {
        void* p[] = {copied.data()};
        s_launches++;
        emulator::launch(kernel, {gx, gy, gz}, bx, shared, p);
    });
}

API Result cuStreamCreate(Stream** stream, unsigned) { *stream = new Stream{}; s_live++; return SUCCESS; }
API Result cuStreamDestroy_v2(Stream* stream) { delete stream; s_live--; return SUCCESS; }
API Result cuStreamSynchronize(Stream* stream) { return stream && stream->capturing ? INVALID_VALUE : SUCCESS; }
API Result cuStreamBeginCapture_v2(Stream* stream, int) { stream->capturing = new Graph; return SUCCESS; }

API Result cuStreamEndCapture(Stream* stream, Graph** graph)
{
    *graph = stream->capturing;
    stream->capturing = nullptr;
    s_live++;
    return SUCCESS;
}

API Result cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long) { *executable = new Graph(*graph); s_live++; return SUCCESS; }
API Result cuGraphDestroy(Graph* graph) { delete graph; s_live--; return SUCCESS; }
API Result cuGraphExecDestroy(Graph* graph) { delete graph; s_live--; return SUCCESS; }

API Result cuGraphLaunch(Graph* graph, Stream*)
{
    std::lock_guard<std::mutex> hold(s_lock);
    s_graph_launches++;
    for (auto& work : graph->work) work();
    return SUCCESS;
}

API Result cuGetErrorName(int code, const char** name)
{
    *name = code == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : code == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR";
    return SUCCESS;
}

API void FP_EMULATOR_order(int deferred, int reverse)
{
    std::lock_guard<std::mutex> hold(s_lock);
    emulator::deferred_copies = deferred;
    emulator::reverse_threads = reverse;
}

API void FP_EMULATOR_machine(int devices, int version, int major, int minor, size_t memory)
{
    s_devices = devices, s_version = version, s_major = major, s_minor = minor, s_total = memory;
}

API long FP_EMULATOR_live() { return s_live; }
API long FP_EMULATOR_launches() { return s_launches; }
API long FP_EMULATOR_graph_launches() { return s_graph_launches; }
