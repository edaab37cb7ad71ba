// Tests/BGPTests
