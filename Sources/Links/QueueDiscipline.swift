/// Who leaves the queue next, and who is dropped from it.
public enum QueueDiscipline: Equatable, Sendable, BitwiseCopyable {
    /// First in, first out; what finds the queue full is dropped.
    case dropTail
    /// RFC 8289, target 5 ms, interval 100 ms.
    case coDel
    /// RFC 8290, 1024 queues, quantum 1514 bytes.
    case fairQueueCoDel
}
