// Faults on request: a driver function fails as a test asks for.
#pragma once

namespace emulator
{
// The code that this call of a function is to give back; 0 for none.
int fault(const char* function);
}

// Before what a function does. Functions that give something back do so all the same: their codes are of what was queued before.
#define FP_FAULT(function) if (int code = emulator::fault(#function)) return code
#define FP_RETURN(function) return emulator::fault(#function)
