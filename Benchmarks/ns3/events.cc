// The event engine alone, by the hold model: so many events are pending, and each that fires
// schedules one more, an exponentially distributed delay of mean 1 ms later.
#include "measure.h"

#include "ns3/core-module.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace
{

/// Delays drawn beforehand, so that the generator and the logarithm are not what is measured.
class Delays
{
  public:
    Delays()
        : m_drawn(1u << 16)
    {
        uint64_t state = 1;
        for (auto& delay : m_drawn)
        {
            // SplitMix64.
            uint64_t z = (state += 0x9E3779B97F4A7C15u);
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
            const double unit = static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
            delay = 1 + static_cast<int64_t>(-std::log1p(-unit) * 1e6);
        }
    }

    ns3::Time Next()
    {
        return ns3::NanoSeconds(m_drawn[m_next++ % m_drawn.size()]);
    }

  private:
    std::vector<int64_t> m_drawn;
    size_t m_next{0};
};

struct Hold
{
    Delays delays;
    uint64_t fired{0};
    uint64_t wanted{0};

    void Fire()
    {
        if (++fired == wanted)
        {
            ns3::Simulator::Stop();
            return;
        }
        ns3::Simulator::Schedule(delays.Next(), &Hold::Fire, this);
    }
};

} // namespace

int
main(int argc, char* argv[])
{
    std::string scheduler = "Map";
    uint64_t pending = 1000;
    Hold hold;
    hold.wanted = 1000000;
    ns3::CommandLine command(__FILE__);
    command.AddValue("scheduler", "Map, Heap, PriorityQueue or Calendar", scheduler);
    command.AddValue("pending", "events pending at any time", pending);
    command.AddValue("events", "events to fire", hold.wanted);
    command.Parse(argc, argv);

    ns3::Simulator::SetScheduler(ns3::ObjectFactory("ns3::" + scheduler + "Scheduler"));
    for (uint64_t i = 0; i < pending; ++i)
    {
        ns3::Simulator::Schedule(hold.delays.Next(), &Hold::Fire, &hold);
    }
    const double start = measure::CpuSeconds();
    ns3::Simulator::Run();
    const double cpu = measure::CpuSeconds() - start;
    std::printf("{\"bench\":\"queue-%llu\",\"peer\":\"ns-3 %s\",\"events\":%llu,\"cpu_s\":%.4f,"
                "\"per_cpu_s\":%.0f,\"peak_mib\":%.1f}\n",
                static_cast<unsigned long long>(pending),
                scheduler.c_str(),
                static_cast<unsigned long long>(hold.fired),
                cpu,
                static_cast<double>(hold.fired) / cpu,
                measure::PeakMebibytes());
    std::fflush(stdout);
    // Taking a million pending events apart one by one is not what is asked for.
    std::_Exit(EXIT_SUCCESS);
}
