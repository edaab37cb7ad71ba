// Tests/TrafficTests
