// Tests/TunnelTests
