import CLinux
import Glibc

/// Makes many namespaces, one after the other, on a thread of its own.
///
/// The thread goes from one new namespace to the next and never back, which spares the visits that setting a namespace
/// up would take otherwise: what has to be done inside one is done before the next is made.
public struct NamespaceMaker: ~Copyable {
    private init() {}

    /// Runs `body` on a thread that may make namespaces, and waits for it.
    public static func run<Value: ~Copyable>(
        _ body: (borrowing NamespaceMaker) throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        try onDedicatedThread { () throws(SystemError) in try body(NamespaceMaker()) }
    }

    /// Makes a namespace and goes there: what `body` opens after this belongs to it.
    public func next() throws(SystemError) -> NetworkNamespace {
        try checked(clinux_unshare_network(), "make a network namespace")
        return try .current()
    }

    /// Sets a parameter of the namespace made last; see `NetworkNamespace.setParameter(_:to:)`.
    public func setParameter(_ name: String, to value: String) throws(SystemError) {
        try writeParameter(name, value)
    }
}
