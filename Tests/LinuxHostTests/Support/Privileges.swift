import Foundation
import LinuxSystem

/// What this machine lets the tests do.
enum Privileges {
    /// Whether namespaces can be made and programs loaded, which takes privileges and a kernel that has both.
    static let suffice: Bool = {
        guard geteuid() == 0 else { return false }
        do throws(SystemError) {
            _ = try NetworkNamespace()
            _ = try KernelProgram.passingEverything()
            return true
        } catch {
            return false
        }
    }()

    static let reason = "needs to be root on a kernel with network namespaces, veth, TUN and XDP"
}
