// Tests/TCPTests
