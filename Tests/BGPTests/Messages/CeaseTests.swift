import BGP
import Testing

@Suite struct CeaseTests {
    @Test func `a text comes with a shutdown or a reset and with nothing else`() {
        let shutdown = Notification.cease(.administrativeShutdown, text: "back at 8")
        #expect(shutdown.data == [9] + Array("back at 8".utf8))
        #expect(shutdown.shutdownText == "back at 8")
        #expect(Notification.cease(.administrativeReset, text: "x").shutdownText == "x")
        #expect(Notification.cease(.connectionCollision, text: "x").data.isEmpty)
        #expect(Notification.cease(.administrativeShutdown, text: "").data.isEmpty)
    }

    @Test func `a text is cut between two characters`() {
        let text = String(repeating: "ü", count: 200)
        let notification = Notification.cease(.administrativeShutdown, text: text)
        #expect(notification.data.first == 254)
        #expect(notification.shutdownText == String(repeating: "ü", count: 127))
    }

    @Test(arguments: [[UInt8](), [0], [5, 65], [255, 65, 66]])
    func `a text that is not there or overruns is none`(_ data: [UInt8]) {
        #expect(Notification(code: 6, subcode: 2, data: data).shutdownText == nil)
    }

    @Test func `octets that are no UTF-8 are replaced`() {
        #expect(Notification(code: 6, subcode: 4, data: [2, 65, 0xFF]).shutdownText == "A\u{FFFD}")
    }

    @Test func `a hard reset wraps what it says`() {
        let wrapped = Notification.cease(.administrativeShutdown, text: "bye").asHardReset
        #expect([wrapped.code, wrapped.subcode] == [6, 9])
        #expect(wrapped.data == [6, 2, 3] + Array("bye".utf8))
        #expect(wrapped.isHardReset && !Notification.cease(.administrativeReset).isHardReset)
    }

    @Test func `the bound of prefixes is told with its family`() {
        #expect(Notification.maximumPrefixes(.ipv6Unicast, bound: 100).data == [0, 2, 1, 0, 0, 0, 100])
    }
}
