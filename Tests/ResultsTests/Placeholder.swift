// Tests/ResultsTests
