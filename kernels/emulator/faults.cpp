#include "faults.h"
#include <map>
#include <mutex>
#include <string>

namespace
{
struct Fault
{
    int code, calls_before;
};

std::mutex s_lock;
std::map<std::string, Fault> s_faults;
long s_calls, s_failing = -1;
int s_code, s_sticky;
}

int emulator::fault(const char* function)
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto call = s_calls++;
    if (s_failing >= 0 && (call == s_failing || (s_sticky && call > s_failing))) return s_code;
    auto fault = s_faults.find(function);
    return fault == s_faults.end() || fault->second.calls_before-- > 0 ? 0 : fault->second.code;
}

// From the call after so many good ones on, a function fails with a code; code 0 mends it, no function mends all.
extern "C" __attribute__((visibility("default"))) void FP_EMULATOR_fail(const char* function, int code, int calls_before)
{
    std::lock_guard<std::mutex> hold(s_lock);
    if (!function) s_faults.clear();
    else if (code) s_faults[function] = {code, calls_before};
    else s_faults.erase(function);
}

// The call of this number from now on, of whatever function, fails with a code; sticky: all after it too, as after a fault of a kernel.
// A negative number mends it. Gives back how many calls there were since this was last called.
extern "C" __attribute__((visibility("default"))) long FP_EMULATOR_fail_call(long number, int code, int sticky)
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto calls = s_calls;
    s_calls = 0, s_failing = number, s_code = code, s_sticky = sticky;
    return calls;
}
