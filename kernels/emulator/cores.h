// The host's cores, each of which runs one block at a time.
#pragma once
#include <functional>

// A variable that each core has for itself, read without a call. Few and small ones: what is loaded late finds little room for them.
#define OF_CORE __thread __attribute__((tls_model("initial-exec")))

namespace emulator
{
constexpr int MOST_CORES = 8;

// Runs work(core) on as many cores as the host has, but no more than asked for; returns when all are done. One call at a time.
void on_cores(unsigned long most, const std::function<void(int core)>& work);
}
