// Tests/BFDTests
