// One bulk TCP flow over three links of 100 Mbit/s and 5 ms each, with a little random loss on
// the middle one: the CPU time of each simulated second, and what the receiver got.
#include "measure.h"

#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

#include <cstdint>
#include <string>

using namespace ns3;

int
main(int argc, char* argv[])
{
    std::string congestion = "Cubic";
    double loss = 1e-5;
    double seconds = 10;
    bool discipline = false;
    const uint32_t segment = 1448;
    CommandLine command(__FILE__);
    command.AddValue("congestion", "Cubic, LinuxReno or Bbr", congestion);
    command.AddValue("loss", "probability that the middle link loses a packet", loss);
    command.AddValue("seconds", "seconds to simulate", seconds);
    command.AddValue("discipline", "keep the FqCoDel that ns-3 puts before each device", discipline);
    command.Parse(argc, argv);

    Config::SetDefault("ns3::TcpL4Protocol::SocketType", StringValue("ns3::Tcp" + congestion));
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(segment));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(8u << 20));
    Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(8u << 20));
    Config::SetDefault("ns3::TcpSocket::InitialCwnd", UintegerValue(10));

    NodeContainer nodes;
    nodes.Create(4);
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    stack.Install(nodes);
    PointToPointHelper wire;
    wire.SetDeviceAttribute("DataRate", StringValue("100Mbps"));
    wire.SetChannelAttribute("Delay", StringValue("5ms"));
    wire.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("100p"));
    Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.0");
    Ipv4InterfaceContainer last;
    for (uint32_t i = 0; i < 3; ++i)
    {
        const auto devices = wire.Install(nodes.Get(i), nodes.Get(i + 1));
        if (i == 1)
        {
            const auto errors = CreateObject<RateErrorModel>();
            errors->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
            errors->SetRate(loss);
            devices.Get(1)->SetAttribute("ReceiveErrorModel", PointerValue(errors));
        }
        last = addresses.Assign(devices);
        if (!discipline)
        {
            TrafficControlHelper().Uninstall(devices);
        }
        addresses.NewNetwork();
    }
    Ipv4GlobalRoutingHelper::PopulateRoutingTables();

    const uint16_t port = 4000;
    PacketSinkHelper sinkHelper("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), port));
    const auto sink = DynamicCast<PacketSink>(sinkHelper.Install(nodes.Get(3)).Get(0));
    BulkSendHelper source("ns3::TcpSocketFactory", InetSocketAddress(last.GetAddress(1), port));
    source.SetAttribute("SendSize", UintegerValue(segment));
    source.Install(nodes.Get(0)).Start(MilliSeconds(1));

    Simulator::Stop(Seconds(seconds));
    const double start = measure::CpuSeconds();
    Simulator::Run();
    const double cpu = measure::CpuSeconds() - start;
    const double bytes = static_cast<double>(sink->GetTotalRx());
    std::printf("{\"bench\":\"tcp-3-hops\",\"peer\":\"ns-3 %s%s\",\"segments\":%.0f,\"cpu_s\":%.4f,"
                "\"per_cpu_s\":%.0f,\"cpu_s_per_simulated_s\":%.5f,\"goodput_mbit\":%.2f,\"peak_mib\":%.1f}\n",
                congestion.c_str(),
                discipline ? " FqCoDel" : "",
                bytes / segment,
                cpu,
                bytes / segment / cpu,
                cpu / seconds,
                bytes * 8 / seconds / 1e6,
                measure::PeakMebibytes());
    Simulator::Destroy();
    return 0;
}
