import LinuxSystem
import Testing

@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct KernelAbilityTests {
    @Test func `whether the kernel has netem is found out without leaving anything behind`() throws {
        let first = try KernelAbilities.hasNetem()
        let second = try KernelAbilities.hasNetem()
        #expect(first == second)
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        let links = try routes.links()
        #expect(links.map(\.name) == ["lo"])
    }
}
