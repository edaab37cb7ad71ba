import CTestBPF
import Dataplane
import Glibc

/// The maps of a program in this machine's kernel.
struct KernelMaps: DataplaneMaps {
    let descriptors: [DataplaneMap: Int32]
    let processorCount: Int

    private func descriptor(_ map: DataplaneMap) throws(DataplaneError) -> Int32 {
        guard let descriptor = descriptors[map] else { throw .refused(map, code: -ENOENT) }
        return descriptor
    }

    mutating func update(_ map: DataplaneMap, key: RawSpan, value: RawSpan) throws(DataplaneError) {
        let descriptor = try descriptor(map)
        let code = key.withUnsafeBytes { key in
            value.withUnsafeBytes { bpf_map_update_elem(descriptor, key.baseAddress, $0.baseAddress, 0) }
        }
        if code == -E2BIG || code == -ENOSPC { throw .full(map) }
        if code != 0 { throw .refused(map, code: code) }
    }

    mutating func remove(_ map: DataplaneMap, key: RawSpan) throws(DataplaneError) -> Bool {
        let descriptor = try descriptor(map)
        let code = key.withUnsafeBytes { bpf_map_delete_elem(descriptor, $0.baseAddress) }
        if code != 0, code != -ENOENT { throw .refused(map, code: code) }
        return code == 0
    }

    mutating func read(
        _ map: DataplaneMap, key: RawSpan, into value: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        let descriptor = try descriptor(map)
        let code = key.withUnsafeBytes { key in
            value.withUnsafeMutableBytes { bpf_map_lookup_elem(descriptor, key.baseAddress, $0.baseAddress) }
        }
        if code != 0, code != -ENOENT { throw .refused(map, code: code) }
        return code == 0
    }

    mutating func next(
        _ map: DataplaneMap, after key: RawSpan?, into next: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        let descriptor = try descriptor(map)
        let code =
            if let key {
                key.withUnsafeBytes { key in
                    next.withUnsafeMutableBytes { bpf_map_get_next_key(descriptor, key.baseAddress, $0.baseAddress) }
                }
            } else {
                next.withUnsafeMutableBytes { bpf_map_get_next_key(descriptor, nil, $0.baseAddress) }
            }
        if code != 0, code != -ENOENT { throw .refused(map, code: code) }
        return code == 0
    }
}
