import Foundation
import TestKit
import Testing

/// The toolchain's clang, which compiles for the BPF machine as it compiles the data plane.
enum Clang {
    static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/clang" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    static let isPresent = path != nil && (try? compile("int one(void) { return 1; }")) != nil

    /// What every sample needs: the helpers by number, the macros that describe maps.
    private static let header = """
        typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
        typedef int s32; typedef long long s64;
        struct xdp_md { u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex; };
        #define SEC(name) __attribute__((section(name), used))
        #define __uint(name, value) int (*name)[value]
        #define __type(name, value) typeof(value) *name
        #define __array(name, value) typeof(value) *name[]
        static void *(*lookup)(void *, const void *) = (void *)1;
        static long (*update)(void *, const void *, const void *, u64) = (void *)2;
        static long (*delete)(void *, const void *) = (void *)3;
        static u64 (*ktime)(void) = (void *)5;
        static long (*trace)(const char *, u32, ...) = (void *)6;
        static u32 (*prandom)(void) = (void *)7;
        static u32 (*processor)(void) = (void *)8;
        static long (*tail_call)(void *, void *, u32) = (void *)12;
        static long (*redirect)(u32, u64) = (void *)23;
        static s64 (*csum_diff)(u32 *, u32, u32 *, u32, u32) = (void *)28;
        static long (*adjust_head)(struct xdp_md *, int) = (void *)44;
        static long (*redirect_map)(void *, u64, u64) = (void *)51;
        static long (*fib_lookup)(void *, void *, int, u32) = (void *)69;
        static u64 (*jiffies)(void) = (void *)118;
        static u64 (*ktime_boot)(void) = (void *)125;
        static long (*ring_output)(void *, void *, u64, u64) = (void *)130;
        static void *(*ring_reserve)(void *, u64, u64) = (void *)131;
        static void (*ring_submit)(void *, u64) = (void *)132;
        static void (*ring_discard)(void *, u64) = (void *)133;
        static u64 (*ring_query)(void *, u64) = (void *)134;
        static u64 (*ktime_coarse)(void) = (void *)160;
        static long (*repeat)(u32, void *, void *, u64) = (void *)181;
        static u64 (*frame_length)(struct xdp_md *) = (void *)188;
        static long (*load_bytes)(struct xdp_md *, u32, void *, u32) = (void *)189;
        static long (*store_bytes)(struct xdp_md *, u32, void *, u32) = (void *)190;

        """

    /// The object that clang makes of a source, with the options of the data plane.
    static func compile(_ source: String, licence: String = "GPL") throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bpf-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "sample.c"), folder.appending(path: "sample.o"))
        let text = header + source + "\nchar licence[] SEC(\"license\") = \"\(licence)\";\n"
        try Data(text.utf8).write(to: input)
        let process = Process()
        process.executableURL = URL(filePath: try #require(path))
        process.arguments = [
            "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wno-unused", "-c", input.path(percentEncoded: false),
            "-o", output.path(percentEncoded: false),
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "clang refuses the sample")
        return [UInt8](try Data(contentsOf: output))
    }
}
