// Packet hops: UDP at a constant rate over point-to-point links, along a chain of nodes or
// through the hub of a star. A hop is one packet that was carried over one link.
#include "measure.h"

#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

#include <cstdint>
#include <string>
#include <vector>

using namespace ns3;

namespace
{

struct Options
{
    std::string shape{"chain"};
    uint32_t nodes{8};
    uint32_t payload{1400};
    double rate{200e6};
    double seconds{2};
    bool discipline{false};
};

/// The nodes and links of one shape, with routes that cost a look-up as little as they can.
class Network
{
  public:
    explicit Network(const Options& options)
        : m_isChain(options.shape == "chain"),
          m_size(options.nodes)
    {
        m_nodes.Create(m_isChain ? m_size : m_size + 1);
        InternetStackHelper stack;
        stack.SetIpv6StackInstall(false);
        stack.Install(m_nodes);
        PointToPointHelper wire;
        wire.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
        wire.SetChannelAttribute("Delay", StringValue("1ms"));
        wire.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("10000p"));
        Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.252");
        const uint32_t linkCount = m_isChain ? m_size - 1 : m_size;
        for (uint32_t i = 0; i < linkCount; ++i)
        {
            const auto devices = wire.Install(m_nodes.Get(m_isChain ? i : 0), m_nodes.Get(i + 1));
            m_links.push_back(addresses.Assign(devices));
            if (!options.discipline)
            {
                TrafficControlHelper().Uninstall(devices);
            }
            addresses.NewNetwork();
        }
        AddDefaultRoutes();
    }

    /// The pairs of nodes between which a flow runs.
    std::vector<std::pair<uint32_t, uint32_t>> Pairs() const
    {
        if (m_isChain)
        {
            return {{0, m_size - 1}};
        }
        std::vector<std::pair<uint32_t, uint32_t>> pairs;
        for (uint32_t i = 1; i <= m_size; ++i)
        {
            pairs.emplace_back(i, i % m_size + 1);
        }
        return pairs;
    }

    Ptr<Node> At(uint32_t index) const
    {
        return m_nodes.Get(index);
    }

    /// The address by which the others reach the node at the end of its link.
    Ipv4Address Address(uint32_t index) const
    {
        return m_links[index - 1].GetAddress(1);
    }

    uint32_t HopsPerPacket() const
    {
        return m_isChain ? m_size - 1 : 2;
    }

  private:
    void AddDefaultRoutes()
    {
        Ipv4StaticRoutingHelper helper;
        const auto routing = [&](uint32_t index) {
            return helper.GetStaticRouting(m_nodes.Get(index)->GetObject<Ipv4>());
        };
        for (uint32_t i = 0; i < m_links.size(); ++i)
        {
            if (m_isChain)
            {
                // Towards the far end: interface 0 is the loopback, 1 the link behind.
                routing(i)->SetDefaultRoute(m_links[i].GetAddress(1), i == 0 ? 1 : 2);
            }
            else
            {
                routing(i + 1)->SetDefaultRoute(m_links[i].GetAddress(0), 1);
            }
        }
    }

    bool m_isChain;
    uint32_t m_size;
    NodeContainer m_nodes;
    std::vector<Ipv4InterfaceContainer> m_links;
};

} // namespace

int
main(int argc, char* argv[])
{
    Options options;
    std::string scheduler = "Map";
    CommandLine command(__FILE__);
    command.AddValue("shape", "chain or star", options.shape);
    command.AddValue("nodes", "nodes of the chain, leaves of the star", options.nodes);
    command.AddValue("payload", "bytes of UDP payload", options.payload);
    command.AddValue("rate", "bit/s of each flow", options.rate);
    command.AddValue("seconds", "seconds of traffic", options.seconds);
    command.AddValue("discipline", "keep the FqCoDel that ns-3 puts before each device", options.discipline);
    command.AddValue("scheduler", "Map, Heap or PriorityQueue", scheduler);
    command.Parse(argc, argv);
    Simulator::SetScheduler(ObjectFactory("ns3::" + scheduler + "Scheduler"));

    const Network network(options);
    const uint16_t port = 4000;
    std::vector<Ptr<PacketSink>> sinks;
    uint32_t started = 0;
    for (const auto& [from, to] : network.Pairs())
    {
        PacketSinkHelper sink("ns3::UdpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), port));
        sinks.push_back(DynamicCast<PacketSink>(sink.Install(network.At(to)).Get(0)));
        OnOffHelper source("ns3::UdpSocketFactory", InetSocketAddress(network.Address(to), port));
        source.SetConstantRate(DataRate(static_cast<uint64_t>(options.rate)), options.payload);
        auto running = source.Install(network.At(from));
        // Not all in step: three microseconds apart.
        running.Start(MicroSeconds(1 + 3 * started++));
        running.Stop(Seconds(options.seconds));
    }
    // One second more for what is in flight.
    Simulator::Stop(Seconds(options.seconds + 1));
    const double start = measure::CpuSeconds();
    Simulator::Run();
    const double cpu = measure::CpuSeconds() - start;

    uint64_t delivered = 0;
    for (const auto& sink : sinks)
    {
        delivered += sink->GetTotalRx() / options.payload;
    }
    const double offered = options.seconds * options.rate / 8 / options.payload * static_cast<double>(sinks.size());
    const double hops = static_cast<double>(delivered) * network.HopsPerPacket();
    const double events = static_cast<double>(Simulator::GetEventCount());
    std::printf("{\"bench\":\"%s-%u\",\"peer\":\"ns-3 %s%s\",\"hops\":%.0f,\"cpu_s\":%.4f,\"per_cpu_s\":%.0f,"
                "\"events_per_hop\":%.2f,\"cpu_s_per_simulated_s\":%.4f,\"offered\":%.0f,\"delivered\":%llu,"
                "\"peak_mib\":%.1f}\n",
                options.shape.c_str(),
                options.nodes,
                scheduler.c_str(),
                options.discipline ? " FqCoDel" : "",
                hops,
                cpu,
                hops / cpu,
                events / hops,
                cpu / options.seconds,
                offered,
                static_cast<unsigned long long>(delivered),
                measure::PeakMebibytes());
    Simulator::Destroy();
    return 0;
}
