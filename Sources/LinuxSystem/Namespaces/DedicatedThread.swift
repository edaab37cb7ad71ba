import Glibc

/// What a new thread is to do, kept alive until it has done it.
private final class Work {
    let run: () -> Void

    init(_ run: @escaping () -> Void) {
        self.run = run
    }
}

/// Runs `body` on a thread of its own and waits for it.
///
/// A thread's namespace is changed on such a thread only, never on one that somebody else will use.
func onDedicatedThread<Value: ~Copyable>(
    _ body: () throws(SystemError) -> Value
) throws(SystemError) -> Value {
    let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)
    defer { value.deallocate() }
    var failure: SystemError?
    let status = withoutActuallyEscaping(body) { body in
        let work = Work {
            do throws(SystemError) {
                value.initialize(to: try body())
            } catch {
                failure = error
            }
        }
        return withExtendedLifetime(work) {
            var thread = pthread_t()
            let context = Unmanaged.passUnretained(work).toOpaque()
            let status = pthread_create(&thread, nil, performWork, context)
            return status == 0 ? pthread_join(thread, nil) : status
        }
    }
    guard status == 0 else { throw .refused("start a thread", number: status, explanation: "") }
    if let failure { throw failure }
    return value.move()
}

private func performWork(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run() }
    return nil
}
