// What every program here measures itself by: CPU time, which a busy machine stretches
// less than wall time, and the peak of memory.
#pragma once

#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>

namespace measure
{

/// The process's CPU time so far, user and system.
inline double
CpuSeconds()
{
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The most memory that was resident at any time, in MiB.
inline double
PeakMebibytes()
{
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line))
    {
        if (line.rfind("VmHWM:", 0) == 0)
        {
            return std::stod(line.substr(6)) / 1024.0;
        }
    }
    return 0;
}

} // namespace measure
