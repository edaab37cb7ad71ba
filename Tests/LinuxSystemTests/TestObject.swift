import Foundation
import LinuxSystem

/// The programs that the tests load, compiled once a process.
enum TestObject {
    static let octets = compiled(source)

    /// Opens the object, for a test that runs only where it could be compiled.
    static func open() throws(SystemError) -> ObjectFile {
        let octets = octets ?? []
        return try ObjectFile(octets.span.bytes, name: "tests")
    }

    /// Loads the object with the named programs only.
    static func load(_ programs: String...) throws(SystemError) -> LoadedObject {
        var file = try open()
        try file.keepOnly(programs: programs)
        return try file.load()
    }

    /// Compiles a program; nil when there is no compiler for it.
    static func compiled(_ source: String) -> [UInt8]? {
        let paths = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
        guard let clang = paths.map({ "\($0)/clang" }).first(where: FileManager.default.isExecutableFile) else {
            return nil
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "bpf-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let (input, output) = (folder.appending(path: "test.bpf.c"), folder.appending(path: "test.bpf.o"))
            try Data(source.utf8).write(to: input)
            let process = Process()
            process.executableURL = URL(filePath: clang)
            #if arch(x86_64)
            let architecture = "x86_64"
            #else
            let architecture = "aarch64"
            #endif
            process.arguments = [
                "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-I/usr/include/\(architecture)-linux-gnu",
                "-c", input.path, "-o", output.path,
            ]
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus == 0 ? try [UInt8](Data(contentsOf: output)) : nil
        } catch {
            return nil
        }
    }

    private static let source = header + maps + programs

    static let header = """
        #include <linux/bpf.h>
        #include <linux/if_ether.h>
        #include <linux/ip.h>
        #include <linux/udp.h>
        #include <bpf/bpf_helpers.h>
        #include <bpf/bpf_endian.h>

        char _license[] SEC("license") = "GPL";

        """

    private static let maps = """
        const volatile __u16 forbidden_port = 9;
        const volatile __u32 verdict = XDP_PASS;
        __u64 seen = 0;

        struct counter { __u32 passed, dropped, other; };

        struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2);
                 __type(key, __u32); __type(value, struct counter); } counters SEC(".maps");
        struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1);
                 __type(key, __u32); __type(value, __u64); } flows SEC(".maps");
        struct { __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __uint(max_entries, 64);
                 __type(key, __u32); __type(value, struct counter); } slots SEC(".maps");
        struct prefix { __u32 length; __u8 address[4]; };
        struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(max_entries, 64); __uint(map_flags, BPF_F_NO_PREALLOC);
                 __type(key, struct prefix); __type(value, __u32); } prefixes SEC(".maps");
        struct { __uint(type, BPF_MAP_TYPE_DEVMAP); __uint(max_entries, 4);
                 __type(key, __u32); __type(value, __u32); } ports SEC(".maps");
        struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } records SEC(".maps");

        """

    private static let programs = """
        static struct udphdr *datagram(struct xdp_md *context, struct ethhdr **ethernet, struct iphdr **ip) {
            void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
            struct ethhdr *e = data;
            struct iphdr *i = (void *)(e + 1);
            struct udphdr *u = (void *)(i + 1);
            if ((void *)(u + 1) > end || e->h_proto != bpf_htons(ETH_P_IP)) return 0;
            if (i->ihl != 5 || i->protocol != 17) return 0;
            *ethernet = e;
            *ip = i;
            return u;
        }

        SEC("xdp") int filter(struct xdp_md *context) {
            __u32 zero = 0;
            struct ethhdr *ethernet;
            struct iphdr *ip;
            struct counter *counter = bpf_map_lookup_elem(&counters, &zero);
            if (!counter) return XDP_ABORTED;
            struct udphdr *udp = datagram(context, &ethernet, &ip);
            if (!udp) { counter->other++; return XDP_PASS; }
            if (udp->dest == bpf_htons(forbidden_port)) { counter->dropped++; return XDP_DROP; }
            counter->passed++;
            return XDP_PASS;
        }

        SEC("xdp") int redirect(struct xdp_md *context) { return bpf_redirect_map(&ports, 0, 0); }

        SEC("xdp") int encapsulate(struct xdp_md *context) {
            if (bpf_xdp_adjust_head(context, -50)) return XDP_ABORTED;
            char *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
            if (data + 50 > end) return XDP_ABORTED;
            __builtin_memset(data, 0, 50);
            __builtin_memset(data, 0xff, 6);
            data[12] = 0x88;
            data[13] = 0xb5;
            return bpf_redirect_map(&ports, 0, 0);
        }

        SEC("xdp") int reflect(struct xdp_md *context) {
            struct ethhdr *ethernet;
            struct iphdr *ip;
            struct udphdr *udp = datagram(context, &ethernet, &ip);
            if (!udp) return XDP_PASS;
            __u8 address[6];
            __builtin_memcpy(address, ethernet->h_dest, 6);
            __builtin_memcpy(ethernet->h_dest, ethernet->h_source, 6);
            __builtin_memcpy(ethernet->h_source, address, 6);
            __u32 source = ip->saddr;
            ip->saddr = ip->daddr;
            ip->daddr = source;
            return XDP_TX;
        }

        SEC("xdp") int transmit(struct xdp_md *context) { return XDP_TX; }

        SEC("xdp") int answer(struct xdp_md *context) { seen++; return verdict; }

        SEC("xdp") int stamp(struct xdp_md *context) {
            __u32 *data = (void *)(long)context->data;
            if ((void *)(data + 1) > (void *)(long)context->data_end) return XDP_ABORTED;
            *data = context->ingress_ifindex;
            return XDP_PASS;
        }

        SEC("xdp") int record(struct xdp_md *context) {
            __u64 number = ++seen;
            return bpf_ringbuf_output(&records, &number, sizeof number, 0) ? XDP_ABORTED : XDP_PASS;
        }
        """
}
