import Foundation
import LinuxSystem

/// What this machine lets the tests do.
enum Kernel {
    /// Whether namespaces can be made and programs loaded, which takes privileges and a kernel that has both.
    static let isWilling: Bool = {
        guard geteuid() == 0 else { return false }
        do throws(SystemError) {
            _ = try NetworkNamespace()
            _ = try KernelProgram.passingEverything()
            return true
        } catch {
            return false
        }
    }()

    static let reason = "needs to be root on a kernel with network namespaces, veth and XDP"

    /// Whether there is also a compiler for the programs that the tests run.
    static let canCompile = isWilling && TestObject.compiled(TestObject.header) != nil
    static let compilerReason = "needs root, and a clang that knows BPF with libbpf's headers"
}
