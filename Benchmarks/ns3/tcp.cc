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
    std::printf("{\"program\":\"ns3-tcp\",\"congestion\":\"%s\",\"loss\":%g,\"discipline\":%s,\"seconds\":%g,"
                "\"goodputMbit\":%.2f,\"segments\":%.0f,\"events\":%llu,\"cpuSeconds\":%.4f,"
                "\"cpuSecondsPerSecond\":%.5f,\"segmentsPerCPUSecond\":%.0f,\"peakMiB\":%.1f}\n",
                congestion.c_str(),
                loss,
                discipline ? "true" : "false",
                seconds,
                bytes * 8 / seconds / 1e6,
                bytes / segment,
                static_cast<unsigned long long>(Simulator::GetEventCount()),
                cpu,
                cpu / seconds,
                bytes / segment / cpu,
                measure::PeakMebibytes());
    Simulator::Destroy();
    return 0;
}
