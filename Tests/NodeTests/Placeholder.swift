// Tests/NodeTests
