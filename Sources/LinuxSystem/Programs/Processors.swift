import CLinux

/// The machine's processors, as far as it matters which one a thread runs on.
public enum Processors {
    /// Keeps the calling thread on one, so that programs run from it write one value of maps that have one for each.
    public static func stay(on processor: Int) throws(SystemError) {
        try checked(clinux_stay_on_processor(Int32(clamping: processor)), "stay on processor \(processor)")
    }
}
