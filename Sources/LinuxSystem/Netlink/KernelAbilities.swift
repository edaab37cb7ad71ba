import Basics
import Glibc

/// What this machine's kernel can do, found out by trying.
public enum KernelAbilities {
    /// Whether the kernel can delay packets by itself (`tc-netem(8)`), tried in a namespace made for it.
    ///
    /// Only told: impairments are those of the userspace wire on every kernel, so that a link is the same everywhere.
    public static func hasNetem() throws(SystemError) -> Bool {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        do throws(SystemError) {
            try routes.change {
                $0.addDiscipline(.emulator(delay: .zero, loss: .zero, packets: 1_000), to: InterfaceIndex(1))
            }
            return true
        } catch {
            guard [ENOENT, EOPNOTSUPP, ENODEV].contains(error.number) else { throw error }
            return false
        }
    }
}
